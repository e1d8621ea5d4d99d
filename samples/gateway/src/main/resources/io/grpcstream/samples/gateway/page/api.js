// What the gateway is asked. Fetch, and not EventSource, since that sends no token.

const KEY = 'gateway-token';
let asking = null;

export class Failure extends Error {
  constructor(status, headers) {
    super(status.message);
    this.status = status;
    this.headers = headers;
  }
}

// Asks with the token, if there is one; if the gateway wants another, asks the user, and again.
async function ask(path, init = {}) {
  for (;;) {
    const token = sessionStorage.getItem(KEY);
    const headers = new Headers(init.headers);
    if (token) headers.set('authorization', `Bearer ${token}`);
    const response = await fetch(path, { ...init, headers, cache: 'no-store' });
    // A peer's own UNAUTHENTICATED comes with its headers, and is none of the gateway's.
    if (response.status !== 401 || !(await isOfGateway(path, token))) return response;
    await askForToken(token);
  }
}

async function isOfGateway(path, token) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  return path.startsWith('/api/') || (await fetch('/api/peers', { headers, cache: 'no-store' })).status === 401;
}

// Several requests may find out at once: the user is asked once.
function askForToken(refused) {
  if (sessionStorage.getItem(KEY) !== refused) return Promise.resolve();
  asking ??= new Promise((resolve) => {
    const dialog = document.getElementById('token');
    const input = document.getElementById('token-value');
    input.value = '';
    dialog.addEventListener('cancel', (event) => event.preventDefault());
    dialog.addEventListener('close', () => {
      sessionStorage.setItem(KEY, input.value.trim());
      asking = null;
      resolve();
    }, { once: true });
    dialog.showModal();
  });
  return asking;
}

async function failure(response) {
  let status;
  try {
    status = await response.json();
  } catch {
    status = { code: 2, status: 'UNKNOWN', message: `HTTP ${response.status}`, details: [] };
  }
  return new Failure(status, response.headers);
}

export async function json(path) {
  const response = await ask(path);
  if (!response.ok) throw await failure(response);
  return response.json();
}

// Server-sent events, as they come. onOpen is given the response, onEvent each event's type and data.
export async function events(path, init, onOpen, onEvent) {
  const response = await ask(path, { ...init, headers: { ...init.headers, accept: 'text/event-stream' } });
  if (!response.ok) throw await failure(response);
  onOpen(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    let end;
    while ((end = text.indexOf('\n\n')) >= 0) {
      const event = text.slice(0, end);
      text = text.slice(end + 2);
      let type = 'message';
      let data = '';
      for (const line of event.split('\n')) {
        if (line.startsWith('event: ')) type = line.slice(7);
        if (line.startsWith('data: ')) data += line.slice(6);
      }
      await onEvent(type, data);
    }
  }
}
