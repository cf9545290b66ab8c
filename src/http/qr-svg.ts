/** Draws a QR code. The drawing library is loaded on the first call. */
export async function qrSvg(text: string): Promise<string> {
  const { renderSVG } = await import('uqr');
  // The standard (ISO/IEC 18004) requires a quiet zone of four modules; without it phones fail on a dark page.
  return renderSVG(text, { ecc: 'M', border: 4 });
}
