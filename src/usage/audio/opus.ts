/** seconds; RFC 6716, 3.4: 120 ms */
export const LONGEST_OPUS_PACKET = 0.12

/** How long a packet of Opus lasts, by its first bytes (RFC 6716, 3.1): no decoder makes more of it. */
export function opusSeconds (bytes: Buffer, start: number, end: number): number {
  if (start >= end) return 0
  const [toc, second] = [bytes[start], bytes[start + 1]]
  if (toc === undefined) return LONGEST_OPUS_PACKET
  const code = toc & 3
  const frames = code === 0 ? 1 : code < 3 ? 2 : second === undefined || start + 1 >= end ? 48 : second & 0x3f
  return Math.min(frameMs(toc >> 3) * frames / 1_000, LONGEST_OPUS_PACKET)
}

function frameMs (config: number): number {
  if (config < 12) return [10, 20, 40, 60][config & 3] as number
  return config < 16 ? [10, 20][config & 1] as number : [2.5, 5, 10, 20][config & 3] as number
}
