import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { SnapshotInfo } from '../../../../types.js';
import { fill } from '../model/fill.js';
import type { DialogTexts } from '../texts/texts.js';
import { Icon } from './icons.js';
import { Button } from './parts.js';
import { type Question, useUi } from './ui.js';

/** The open question, if there is one. */
export function Dialogs({ question, onClose }: { question: Question | undefined; onClose: () => void }) {
  switch (question?.kind) {
    case 'restore':
      return <RestoreDialog snapshot={question.snapshot} onClose={onClose} />;
    case 'clear':
      return <ClearDialog onClose={onClose} />;
    case 'stop':
      return <StopDialog onClose={onClose} />;
    default:
      return null;
  }
}

function RestoreDialog({ snapshot, onClose }: { snapshot: SnapshotInfo | undefined; onClose: () => void }) {
  const { texts, format, now, control } = useUi();
  const words = texts.restoreDialog;
  const restore = (): void => {
    const id = snapshot?.id;
    control
      .run(id === undefined ? 'restore' : `restore:${id}`, {
        action: 'restore',
        confirm: true,
        ...(id !== undefined && { snapshotId: id }),
      })
      .catch(() => undefined);
  };
  const which = snapshot
    ? fill(words.which, {
        time: format.time(snapshot.createdAt),
        age: format.age(now - Date.parse(snapshot.createdAt)),
        size: format.bytes(snapshot.sizeBytes),
      })
    : words.best;
  return (
    <ConfirmDialog
      texts={{ ...words, title: snapshot ? words.title : words.titleBest }}
      kind="primary"
      onConfirm={restore}
      onClose={onClose}
    >
      <p>{which}</p>
      {snapshot?.revoked && (
        <p class="caution">
          <Icon name="warning" />
          <span>{words.revoked}</span>
        </p>
      )}
    </ConfirmDialog>
  );
}

function ClearDialog({ onClose }: { onClose: () => void }) {
  const { texts, control } = useUi();
  const [isUnderstood, setUnderstood] = useState(false);
  const [logout, setLogout] = useState(false);
  const words = texts.clearDialog;
  const clear = (): void => {
    control
      .run('clear', { action: 'clear', confirm: true, ...(logout && { logout }) })
      .catch(() => undefined);
  };
  return (
    <ConfirmDialog texts={words} kind="danger" isDisabled={!isUnderstood} onConfirm={clear} onClose={onClose}>
      <label class="choice">
        <input type="checkbox" name="logout" checked={logout} onChange={() => setLogout(!logout)} />
        <span>{words.logout}</span>
      </label>
      <label class="choice">
        <input
          type="checkbox"
          name="understood"
          checked={isUnderstood}
          onChange={() => setUnderstood(!isUnderstood)}
        />
        <span>{words.understand}</span>
      </label>
    </ConfirmDialog>
  );
}

function StopDialog({ onClose }: { onClose: () => void }) {
  const { texts, control } = useUi();
  const stop = (): void => {
    control.run('destroy', { action: 'destroy' }).catch(() => undefined);
  };
  return <ConfirmDialog texts={texts.stopDialog} kind="primary" onConfirm={stop} onClose={onClose} />;
}

interface ConfirmDialogProps {
  readonly texts: DialogTexts;
  readonly kind: 'primary' | 'danger';
  readonly isDisabled?: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
  readonly children?: ComponentChildren;
}

/** Says what will happen and what will not. Escape and the cancel button change nothing. */
function ConfirmDialog({ texts: words, kind, isDisabled, onConfirm, onClose, children }: ConfirmDialogProps) {
  const { texts } = useUi();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const close = (): void => dialog.current?.close();
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={onClose}>
      <h2 id="dialog-title">{words.title}</h2>
      <h3>{texts.whatHappens}</h3>
      <ul>
        {words.will.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      <h3>{texts.whatStays}</h3>
      <ul>
        {words.wont.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      {children}
      <div class="dialog-buttons">
        <Button label={texts.cancel} onPress={close} />
        <Button
          kind={kind}
          label={words.confirm}
          isDisabled={isDisabled ?? false}
          onPress={() => {
            close();
            onConfirm();
          }}
        />
      </div>
    </dialog>
  );
}
