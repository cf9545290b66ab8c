// The connection to the simulator's server: requests to the server, and commands from it over an event stream.

const { pageId } = window.simulatorConfig;
const KEEPALIVE_LIMIT = 10_000;

export async function post(path, body = {}) {
  const content = JSON.stringify(body);
  const response = await fetch(`${path}?page=${pageId}`, {
    method: 'POST',
    body: content,
    // With `keepalive` an answer arrives even if the page navigates right after it; the browser allows up to 64 KB.
    keepalive: content.length < KEEPALIVE_LIMIT,
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

export function report(event, detail = {}) {
  return post('/status', { event, ...detail });
}

/** Calls `handle(command)` for every command and answers with its result; the browser reconnects by itself. */
export function listen({ handle, onLost, onBack }) {
  const stream = new EventSource(`/events?page=${pageId}`);
  let wasOpen = false;
  stream.onopen = () => {
    if (wasOpen) onBack();
    wasOpen = true;
  };
  stream.onerror = () => {
    if (wasOpen) onLost();
  };
  stream.onmessage = async ({ data }) => {
    const command = JSON.parse(data);
    const { commandId } = command;
    try {
      await post('/answer', { commandId, result: await handle(command) });
    } catch (error) {
      await post('/answer', { commandId, error: String(error) });
    }
  };
}
