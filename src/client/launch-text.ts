/** How much of a long message is read: a browser may write megabytes before it ends. What it wrote last says why. */
const MAX_HEAD = 50_000;
const MAX_END = 150_000;
/** How many of the last lines are told. */
const MAX_LINES = 3;

/** What headless Chrome writes on any server, whether it comes up or not: no D-Bus, no graphics card, no push service; a verbose log. */
const NOISE =
  /\bdbus\b|\/dbus\/|bus\.cc|object_proxy\.cc|\bgcm\b|registration_request\.cc|vaapi|viz_main_impl|gpu_memory_buffer|DevTools listening on|:VERBOSE\d+:|^TROUBLESHOOTING/i;
/** puppeteer 18 quotes what the browser wrote right behind the first line; later ones put this line before it. */
const LOG_BEGINS = /^stderr:$/m;
const OF_PUPPETEER_18 = /^Failed to launch the browser process!.*\n/;

/** The error message of a failed launch. */
export interface LaunchText {
  /** The message without what the browser wrote. */
  readonly head: string;
  /** The last lines that the browser wrote; none in any other message. */
  readonly lastLines: readonly string[];
}

/** The parts of a long message that are read: its beginning and its end. */
export function readPart(message: string): string {
  if (message.length <= MAX_HEAD + MAX_END) return message;
  return `${message.slice(0, MAX_HEAD)}\n${message.slice(-MAX_END)}`;
}

/** Takes the message of a failed launch apart. */
export function launchText(message: string): LaunchText {
  const text = readPart(message);
  const begins = LOG_BEGINS.exec(text) ?? undefined;
  const headOf18 = OF_PUPPETEER_18.exec(text)?.[0].length;
  const headEnd = begins?.index ?? headOf18;
  if (headEnd === undefined) return { head: text, lastLines: [] };
  const log = text.slice(begins === undefined ? headEnd : begins.index + begins[0].length);
  const lines = log
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('TROUBLESHOOTING'));
  const telling = lines.filter((line) => !NOISE.test(line));
  return {
    head: text.slice(0, headEnd),
    lastLines: (telling.length > 0 ? telling : lines).slice(-MAX_LINES),
  };
}
