/** Subscriptions over server-sent events, the "distinct connections mode" of graphql-sse. */
import { Kind, OperationTypeNode, parse } from 'graphql';

/** Whether the operation that is to run is a subscription. */
export function isSubscription(query: string, name?: string | null): boolean {
  try {
    const operations = parse(query).definitions.filter(
      (node) => node.kind === Kind.OPERATION_DEFINITION,
    );
    const chosen = name ? operations.filter((node) => node.name?.value === name) : operations;
    return chosen.length === 1 && chosen[0]!.operation === OperationTypeNode.SUBSCRIPTION;
  } catch {
    return false; // The server says what is wrong with it.
  }
}

/** The results that a stream carries; `complete` and the end of the stream end it. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (text + decoder.decode(value, { stream: true })).split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const fields = new Map(
        event.split('\n').map((line) => {
          const at = line.indexOf(':');
          return [line.slice(0, at), line.slice(at + 1).trimStart()];
        }),
      );
      if (fields.get('event') === 'complete') return;
      if (fields.get('event') === 'next') yield JSON.parse(fields.get('data') ?? 'null');
    }
  }
}
