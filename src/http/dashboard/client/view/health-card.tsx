import type { HealthReport } from '../../../../health.js';
import { fill } from '../model/fill.js';
import { historyLine } from '../model/history-line.js';
import { isRunning } from '../model/state.js';
import { type Tone, toneOfHealth } from '../model/words.js';
import { Age, Badge, Button, Card, Skeleton } from './parts.js';
import { useUi } from './ui.js';

const CHECK_TONES = {
  passed: 'good',
  warning: 'warning',
  critical: 'critical',
  unknown: 'neutral',
} satisfies Record<string, Tone>;

/** The health: the score, its word, its history, and the checks. */
export function HealthCard() {
  const { texts, state, control } = useUi();
  const { status } = state;
  const checkNow = (
    <Button
      kind="quiet"
      icon="check"
      label={texts.actions.names['health-check']}
      isBusy={isRunning(state, 'health-check')}
      isDisabled={!status}
      onPress={() => control.run('health-check', { action: 'health-check' })}
    />
  );
  return (
    <Card id="health" title={texts.health.title} aside={checkNow}>
      {!status ? (
        <Skeleton />
      ) : status.health === null ? (
        <p>{texts.health.none}</p>
      ) : (
        <Report report={status.health} />
      )}
    </Card>
  );
}

function Report({ report }: { readonly report: HealthReport }) {
  const { texts, format } = useUi();
  return (
    <>
      <div class="health">
        <Gauge report={report} />
        <History />
      </div>
      <details>
        <summary>{texts.health.checks}</summary>
        <ul class="checks">
          {report.checks.map(({ id, status, points, maxPoints }) => (
            <li key={id}>
              <span>{texts.health.checkNames[id] ?? id}</span>
              <Badge tone={CHECK_TONES[status]}>{texts.health.checkStatus[status]}</Badge>
              <span class="muted">
                {status === 'unknown'
                  ? texts.unknown
                  : fill(texts.health.points, {
                      points: format.number(points),
                      max: format.number(maxPoints),
                    })}
              </span>
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}

const ARC = 'M 16 104 A 84 84 0 0 1 184 104';

function Gauge({ report }: { readonly report: HealthReport }) {
  const { texts, format } = useUi();
  const score = Math.round(report.score);
  const status = texts.health.status[report.status] ?? report.status;
  const tone = toneOfHealth(report.status);
  const label = fill(texts.health.gauge, { score: format.number(score), status });
  return (
    <div class={`gauge ${tone}`}>
      <div class="gauge-dial" role="img" aria-label={label}>
        <svg viewBox="0 0 200 112" aria-hidden="true" focusable="false">
          <path class="gauge-track" d={ARC} pathLength="100" />
          <path class="gauge-arc" d={ARC} pathLength="100" stroke-dasharray={`${score} 200`} />
        </svg>
        <div class="gauge-number" aria-hidden="true">
          <b>{format.number(score)}</b>
          <small>{texts.health.outOf}</small>
        </div>
      </div>
      <Badge tone={tone}>{status}</Badge>
      <p class="muted">
        <Age at={report.checkedAt} text={texts.health.checked} />
      </p>
    </div>
  );
}

const BOX = { width: 300, height: 80 };

function History() {
  const { texts, format, state } = useUi();
  const line = historyLine(state.history, BOX);
  return (
    <figure class="history">
      <figcaption>
        <strong>{texts.health.history}</strong>
        <p class="muted">
          {line
            ? fill(texts.health.historyText, {
                first: format.number(Math.round(line.first)),
                last: format.number(Math.round(line.last)),
                lowest: format.number(Math.round(line.lowest)),
                highest: format.number(Math.round(line.highest)),
                duration: format.duration(line.durationMs),
              })
            : texts.health.historyWait}
        </p>
      </figcaption>
      {/* The sentence above says the same. */}
      <svg
        class="history-line"
        viewBox={`0 -4 ${BOX.width} ${BOX.height + 8}`}
        preserveAspectRatio="none"
        aria-hidden="true"
        focusable="false"
      >
        <line class="history-bound" x1="0" x2={BOX.width} y1={BOX.height * 0.2} y2={BOX.height * 0.2} />
        <line class="history-bound" x1="0" x2={BOX.width} y1={BOX.height * 0.5} y2={BOX.height * 0.5} />
        {line && (
          <>
            <polygon points={`0,${BOX.height} ${line.points} ${BOX.width},${BOX.height}`} />
            <polyline points={line.points} />
          </>
        )}
      </svg>
    </figure>
  );
}
