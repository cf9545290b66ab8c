import { useState } from 'preact/hooks';
import { eventWords } from '../model/event-words.js';
import { fill } from '../model/fill.js';
import { MAX_LOG } from '../model/reduce.js';
import type { LogEntry } from '../model/state.js';
import { Icon } from './icons.js';
import { Card, ShowAll } from './parts.js';
import { useUi } from './ui.js';

const SHOWN_AT_FIRST = 12;

/** The events since the page was opened. */
export function LogCard() {
  const { texts, format, state } = useUi();
  const [isWhole, setWhole] = useState(false);
  const { log } = state;
  return (
    <Card id="log" title={texts.log.title}>
      <p class="muted">{fill(texts.log.note, { n: format.number(MAX_LOG) })}</p>
      {log.length === 0 ? (
        <p>{texts.log.none}</p>
      ) : (
        <ol class="log">
          {log.slice(0, isWhole ? MAX_LOG : SHOWN_AT_FIRST).map((entry) => (
            <Line key={entry.key} entry={entry} />
          ))}
        </ol>
      )}
      {log.length > SHOWN_AT_FIRST && (
        <ShowAll count={log.length} isWhole={isWhole} onPress={() => setWhole(!isWhole)} />
      )}
    </Card>
  );
}

function Line({ entry }: { readonly entry: LogEntry }) {
  const ui = useUi();
  const { texts, format } = ui;
  const { tone, text, detail } = eventWords(ui, entry.event);
  return (
    <li class={`log-line ${tone}`} data-event={entry.event.name}>
      <span class="mark">
        <Icon name={tone} />
      </span>
      <div>
        <p>
          {text}
          {entry.times > 1 && <span class="muted"> · {format.plural(texts.log.repeated, entry.times)}</span>}
        </p>
        {detail !== undefined && (
          <p class="muted detail">
            <bdi>{detail}</bdi>
          </p>
        )}
      </div>
      <time dateTime={new Date(entry.at).toISOString()}>{format.timeOfDay(entry.at)}</time>
    </li>
  );
}
