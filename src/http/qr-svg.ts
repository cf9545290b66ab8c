/** Draws a QR code. The library that does is loaded at the first one. */
export async function qrSvg(text: string): Promise<string> {
  const { renderSVG } = await import('uqr');
  // Four modules of quiet zone, as the standard asks (ISO/IEC 18004): phones fail on a dark page without it.
  return renderSVG(text, { ecc: 'M', border: 4 });
}
