declare module '@vercel/ncc' {
  /** Bundles a program into one file, with the other files that it needs beside it. */
  export default function ncc(
    entry: string,
    options: { readonly cache: boolean; readonly quiet: boolean },
  ): Promise<{
    readonly code: string;
    readonly assets: Readonly<Record<string, { readonly source: Buffer }>>;
  }>;
}
