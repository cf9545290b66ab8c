/** Icons as lines on a 24 x 24 grid. */
const PATHS = {
  good: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M8 12.5l2.7 2.7L16 9.5',
  info: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 11v5M12 7.8v.1',
  warning: 'M12 4 2.8 19.5h18.4zM12 10v4.5M12 17v.1',
  critical: 'M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3zM12 8v5M12 16v.1',
  neutral: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M8 12h8',
  start: 'M7 4.5v15l12-7.5z',
  stop: 'M6 6h12v12H6z',
  reconnect: 'M20 11a8 8 0 0 0-14.3-4L3 9.5M3 4.5v5h5M4 13a8 8 0 0 0 14.3 4l2.7-2.5M21 19.5v-5h-5',
  save: 'M4 4h12l4 4v12H4zM8 4v5h7V4M8 20v-6h8v6',
  backup: 'M3 5h18v4H3zM5 9v11h14V9M10 13h4',
  verify: 'M12 3 4.5 6v5.5c0 4.6 3.2 7.9 7.5 9.5 4.3-1.6 7.5-4.9 7.5-9.5V6zM8.5 12l2.5 2.5 4.5-4.5',
  restore: 'M4 4v5h5M4.5 9A8.5 8.5 0 1 1 3.6 13M12 8v4.5l3 2',
  prune: 'M14 4l6 6M17 7l-6.5 6.5M10 11l-6 3 6 6 3-6zM7.5 17.5 10 15',
  clear: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5',
  check: 'M3 12h4l2.5-7 5 14 2.5-7h4',
  send: 'M21 3 10.5 13.5M21 3l-6.5 18-4-7.5L3 9.5z',
  download: 'M12 4v11M7 10.5l5 5 5-5M4 20h16',
  dark: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z',
  light:
    'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5',
  logOut: 'M14 4H5v16h9M10 12h11M17 8l4 4-4 4',
  link: 'M7 2.5h10v19H7zM11 18.5h2',
  close: 'M6 6l12 12M18 6 6 18',
} as const;

export type IconName = keyof typeof PATHS;

/** Icons with a direction, which is reversed in Arabic. */
const DIRECTED: ReadonlySet<IconName> = new Set(['start', 'send', 'logOut']);

/** Hidden from screen readers, because the words beside it say the same. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg
      class={DIRECTED.has(name) ? 'icon directed' : 'icon'}
      viewBox="0 0 24 24"
      width="20"
      height="20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
