/** All that an asynchronous iterable yields, as `Array.fromAsync` of later Nodes. */
export async function collected<Item>(items: AsyncIterable<Item> | undefined): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items ?? []) all.push(item)
  return all
}
