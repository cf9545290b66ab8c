import type { HealthIssue, HealthRecommendation } from '../../../../health.js';
import type { ActionName } from '../../../contract.js';
import { ACTION_OF, adviceWords } from '../model/advice.js';
import { isRunning } from '../model/state.js';
import { Badge, Button, Card } from './parts.js';
import { pressAction } from './press-action.js';
import { useUi } from './ui.js';

/** The issues, the advice for each, and a button that follows the advice. */
export function IssuesCard() {
  const { texts, format, state } = useUi();
  const health = state.status?.health;
  if (!health) return null;
  const { issues, recommendations } = health;
  if (issues.length === 0) return null;
  return (
    <Card
      id="issues"
      title={texts.issues.title}
      aside={<span class="muted">{format.plural(texts.issues.count, issues.length)}</span>}
    >
      <ul class="issues">
        {issues.map((issue) => (
          <Issue
            key={issue.code}
            issue={issue}
            advice={recommendations.filter(({ code }) => code === issue.code)}
          />
        ))}
      </ul>
    </Card>
  );
}

function Issue({
  issue,
  advice,
}: {
  readonly issue: HealthIssue;
  readonly advice: readonly HealthRecommendation[];
}) {
  const { texts, locale } = useUi();
  return (
    <li class={`issue ${issue.severity}`}>
      <div class="issue-words">
        <p>
          <Badge tone={issue.severity}>{texts.issues.severity[issue.severity]}</Badge>
        </p>
        <p class="issue-text">{issue.message[locale]}</p>
        {advice.length > 0 && (
          <p class="muted">
            <strong>{texts.issues.whatToDo}:</strong>{' '}
            {adviceWords(texts, advice.map(({ text }) => text[locale]).join(' '))}
          </p>
        )}
      </div>
      <div class="issue-buttons">
        {advice.map(
          ({ action }) => action && <Remedy key={action} issue={issue.code} action={ACTION_OF[action]} />,
        )}
      </div>
    </li>
  );
}

function Remedy({ issue, action }: { readonly issue: string; readonly action: ActionName }) {
  const ui = useUi();
  return (
    <Button
      kind="primary"
      label={ui.texts.actions.names[action]}
      isBusy={isRunning(ui.state, action)}
      onPress={() => pressAction(ui, action, `issue:${issue}`)}
    />
  );
}
