/** The arguments of every Chromium that a test or a demo starts: as root, without a screen, and asking no server of its own. */
export const CHROMIUM_ARGUMENTS: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // No renderer for the popup of an address bar that nobody sees: a third of the processor time of a start.
  '--disable-features=WebUIOmniboxAimPopup,WebUIOmniboxPopup',
];
