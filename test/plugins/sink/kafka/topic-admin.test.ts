import { expect, test } from 'vitest'
import {
  addPartitionsCommand,
  allowCommand,
  createTopicCommand,
} from '../../../../src/plugins/sink/kafka/topic-admin.js'

const plain = { brokers: 'kafka-1:9092, kafka-2:9092', properties: {} }
const secured = {
  brokers: 'kafka-1:9093',
  properties: { 'security.protocol': 'sasl_ssl', 'sasl.username': "CN=o'neil, O=x" },
}

test('a topic with three copies confirms records by two of them', () => {
  expect(createTopicCommand(plain, 'orders', { partitions: 3, replicas: 3 })).toBe(
    'kafka-topics.sh --bootstrap-server kafka-1:9092,kafka-2:9092 --create --topic orders --partitions 3 --replication-factor 3 --config min.insync.replicas=2',
  )
})

test('settings left to the broker are not in the command', () => {
  expect(createTopicCommand(plain, 'orders', { partitions: undefined, replicas: undefined })).toBe(
    'kafka-topics.sh --bootstrap-server kafka-1:9092,kafka-2:9092 --create --topic orders',
  )
})

test('a topic that must keep its records has a retention of its own', () => {
  expect(createTopicCommand(plain, 'orders.inbox', { partitions: 12, replicas: 3, keepFor: 5000 })).toMatch(
    / --config min\.insync\.replicas=2 --config cleanup\.policy=delete --config retention\.ms=5000 --config retention\.bytes=-1$/,
  )
})

test('partitions are added up to a total', () => {
  expect(addPartitionsCommand(plain, 'orders', 4)).toMatch(/ --alter --topic orders --partitions 4$/)
})

test('rights are given to the user of the sink, quoted for a shell, with a file for the login', () => {
  expect(allowCommand(secured, ['Read', 'Write'], '--topic', 'orders')).toBe(
    "kafka-acls.sh --bootstrap-server kafka-1:9093 --command-config client.properties --add --allow-principal 'User:CN=o'\\''neil, O=x' --operation Read --operation Write --topic orders",
  )
  expect(allowCommand(plain, ['Read'], '--group', 'headgate.orders')).toMatch(
    /--allow-principal User:NAME --operation Read --group headgate\.orders$/,
  )
})
