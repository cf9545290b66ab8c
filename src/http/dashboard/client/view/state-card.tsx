import { fill, plain } from '../model/fill.js';
import { toneOfState } from '../model/words.js';
import { Icon } from './icons.js';
import { Age, Card, Code, Skeleton } from './parts.js';
import { useUi } from './ui.js';

/** The state of the session, which everybody wants to know first. */
export function StateCard() {
  const { texts, format, state } = useUi();
  const session = state.status?.session;
  if (!session) {
    return (
      <Card id="state" title={texts.state.title}>
        <Skeleton />
      </Card>
    );
  }
  const { state: now, stateSince, reconnectAttempts: n, maxReconnectAttempts: max } = session;
  const tone = toneOfState(now);
  return (
    <Card id="state" title={texts.state.title}>
      <div class={`state ${tone}`}>
        <span class="state-mark">
          <Icon name={tone} />
        </span>
        <div>
          <p class="state-word">{texts.state.words[now] ?? now}</p>
          <p class="muted">
            <Age at={stateSince} text={texts.state.since} />
            {n > 0 && (
              <>
                {' · '}
                {max === null
                  ? format.plural(texts.state.attempt, n)
                  : fill(texts.state.attemptOf, { n: format.number(n), max: format.number(max) })}
              </>
            )}
          </p>
        </div>
      </div>
      <p class="state-meaning">{texts.state.meanings[now]}</p>
      {(['lastError', 'lastSaveError', 'lastBackupError'] as const).map((kind) => {
        const error = session[kind];
        return (
          error && (
            <p class="state-error" key={kind}>
              {texts.state[kind]} (<Age at={error.at} />
              ): <Code>{plain(error.message)}</Code>
            </p>
          )
        );
      })}
      {(['waiting', 'decision'] as const).map((kind) => {
        const told = session[kind];
        return (
          told && (
            <p class="state-error" key={kind}>
              {texts.state[kind]} (<Age at={told.since} />
              ): <Code>{plain(told.message)}</Code>
            </p>
          )
        );
      })}
      <dl class="state-facts">
        {[
          [texts.details.lastSaved, session.lastSaved] as const,
          [texts.details.lastBackup, session.lastBackup] as const,
        ].map(([name, at]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{at !== null ? <Age at={at} /> : session.snapshots === null ? texts.unknown : texts.none}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
