/** Silence, 16 bit, one channel, 8 kHz; `told`: how long it says that it is, seconds. */
export function wav (seconds: number, told = seconds): Buffer {
  const head = Buffer.alloc(44)
  head.write('RIFF', 0)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(8_000, 24)
  head.writeUInt16LE(16, 34)
  head.write('data', 36)
  head.writeUInt32LE(told * 16_000, 40)
  return Buffer.concat([head, Buffer.alloc(seconds * 16_000)])
}
