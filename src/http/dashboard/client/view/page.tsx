import { useState } from 'preact/hooks';
import { ActionsCard } from './actions-card.js';
import { Announcer } from './announcer.js';
import { Banner } from './banner.js';
import { DetailsCard } from './details-card.js';
import { Dialogs } from './dialogs.js';
import { Header } from './header.js';
import { HealthCard } from './health-card.js';
import { IssuesCard } from './issues-card.js';
import { LogCard } from './log-card.js';
import { MessageCard } from './message-card.js';
import { Notices } from './notices.js';
import { PairingCard } from './pairing-card.js';
import { SnapshotsCard } from './snapshots-card.js';
import { StateCard } from './state-card.js';
import { type Question, type Ui, UiContext } from './ui.js';

/** The whole page, drawn from its state. */
export function Page({ ui }: { readonly ui: Omit<Ui, 'ask'> }) {
  const [question, ask] = useState<Question>();
  const isPairing = ui.state.status?.session.state === 'awaiting_qr';
  return (
    <UiContext.Provider value={{ ...ui, ask }}>
      <button
        type="button"
        class="button primary skip"
        onClick={() => document.getElementById('content')?.focus()}
      >
        {ui.texts.skipToContent}
      </button>
      <Header />
      <Announcer />
      <Banner />
      <main id="content" tabIndex={-1} aria-busy={ui.state.status === undefined}>
        <div class={isPairing ? 'first pairing-first' : 'first'}>
          <StateCard />
          <PairingCard />
          <HealthCard />
        </div>
        <IssuesCard />
        <div class="columns">
          <div class="column">
            <ActionsCard />
            <MessageCard />
          </div>
          <div class="column">
            <SnapshotsCard />
            <DetailsCard />
            <LogCard />
          </div>
        </div>
      </main>
      <Notices />
      <Dialogs question={question} onClose={() => ask(undefined)} />
    </UiContext.Provider>
  );
}
