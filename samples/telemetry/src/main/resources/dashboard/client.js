// Calls of a peer through the gateway: JSON over HTTP, a line for each message of a stream.

/** A call that has failed, with the status that the gateway tells. */
export class CallFailure extends Error {
  constructor(status, message) {
    super(message || status);
    this.status = status;
  }
}

/**
 * The messages of a response, each as it comes: `{"result": …}` a line, and at last `{"error": …}` if the
 * call fails. A line is as long as the peer makes it, up to `longest` characters.
 */
export async function* messages(chunks, longest = 16 * 1024 * 1024) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop();
    if (rest.length > longest) throw new CallFailure("RESOURCE_EXHAUSTED", `a line of over ${longest} characters`);
    for (const line of lines) {
      if (line.trim()) yield message(line);
    }
  }
  if (rest.trim()) yield message(rest);
}

function message(line) {
  const { result, error } = JSON.parse(line);
  if (error) throw new CallFailure(error.status, error.message);
  return result;
}

/** Calls of the dashboard of the peer that the gateway knows by `peer`. */
export class Dashboard {
  constructor(peer, fetch = globalThis.fetch.bind(globalThis)) {
    this.base = `/peers/${encodeURIComponent(peer)}/telemetry.Dashboard/`;
    this.fetch = fetch;
    this.token = "";
  }

  async post(method, request, signal) {
    const headers = { "content-type": "application/json" };
    if (this.token) headers.authorization = `Bearer ${this.token}`;
    const body = JSON.stringify(request);
    const response = await this.fetch(this.base + method, { method: "POST", headers, body, signal });
    if (response.ok) return response;
    const text = await response.text();
    let status = { status: `HTTP ${response.status}`, message: text.slice(0, 200) };
    try {
      status = JSON.parse(text);
    } catch {
      // Not the gateway's own answer, but one of a proxy before it.
    }
    throw new CallFailure(response.status === 401 ? "UNAUTHENTICATED" : status.status, status.message);
  }

  /** What changes, as it does. */
  async *watch(interval, signal) {
    const response = await this.post("Watch", { interval }, signal);
    yield* messages(chunksOf(response.body));
  }

  /** Has the device measure differently; what is in force then. */
  async configure(peerId, configuration) {
    const response = await this.post("Configure", { peerId, configuration });
    return response.json();
  }
}

// Not every browser can iterate over a stream.
async function* chunksOf(body) {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
