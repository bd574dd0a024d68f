/** Blocks of the pages that are not run, by their name (page and first line), and why, or what holds them instead. */
export const NOT_RUN: { readonly [name: string]: string } = {
  'README.md: sender                            Headgate                                    Kafka':
    'a picture',
  'README.md: ./headgate demo': 'test/e2e/demo.test.ts runs it',
  'README.md: ./run-tests': 'runs this test',
  'docs/getting-started.md: ./headgate demo': 'test/e2e/demo.test.ts runs it',
  'docs/getting-started.md: docker run -d --name kafka -p 9092:9092 apache/kafka:4.1.1':
    'needs Docker; test/kafka/getting-started.test.ts runs the page on the same version of Kafka, with its own tools',
  'docs/coming-from/moving-over.md: kafka-console-consumer.sh --bootstrap-server $KAFKA_BROKERS --topic orders.de --from-beginning --max-messages 1000 > orders.de.jsonl':
    'reads what another program wrote; test/kafka/getting-started.test.ts runs the same tool',
  'docs/dead-letters.md: headgate dlq show 0:12 --raw > event.json':
    'needs somebody who edits the event; test/e2e/dlq.test.ts replays one with another body',
  'docs/dead-letters.md: headgate dlq discard 0:12 0:13 --reason "test events"                              # a dry run':
    'needs those dead letters; test/e2e/dlq.test.ts discards some',
  'docs/scaling.md: kafka-consumer-groups.sh --bootstrap-server "$KAFKA_BROKERS" --group headgate.PIPELINE.acknowledged \\':
    'needs tools of Kafka and an inbox that has grown; test/kafka/inbox.test.ts runs the same tool',
  'docs/scaling.md: instances:':
    'needs a Kubernetes cluster; test/deploy/chart.test.ts renders the chart by it',
  'docs/senders.md: { "name": "a registration is answered",':
    'a scenario without its pipeline; test/plugins/source/http-webhook/handshake/handshake.test.ts answers such a request',
  'docs/operations.md: docker build -t headgate:0.1.0 .':
    'needs Docker and a Kubernetes cluster; test/deploy/kubernetes.test.ts holds what is applied',
  'docs/operations.md: helm install headgate deploy/helm/headgate --namespace headgate \\':
    'needs a Kubernetes cluster; test/deploy/chart.test.ts renders the chart by it',
  'docs/operations.md: cp deploy/compose.env.example deploy/.env   # and fill it in':
    'needs Docker; test/deploy/compose.test.ts holds compose.yaml',
  'docs/operations.md: sudo apt-get install ./headgate_0.1.0_amd64.deb':
    'changes the machine; test/e2e/packages.test.ts installs both packages',
  'docs/operations.md: editor /etc/headgate/headgate.env':
    'writes to /etc and starts a service; test/deploy/systemd.test.ts holds the unit',
  'docs/operations.md: systemctl enable --now headgate.socket && systemctl restart headgate':
    'writes to /etc and starts a service; test/deploy/systemd.test.ts holds the unit, test/e2e/socket-activation.test.ts what it does',
  'docs/operations.md: kubectl port-forward --namespace headgate headgate-0 8083':
    'needs a Kubernetes cluster',
}
