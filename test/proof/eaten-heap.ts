/** Loaded before a gateway: on SIGUSR2 it keeps more and more, until it has as much memory as it may. */
const kept: unknown[] = []

process.on('SIGUSR2', () => {
  setInterval(() => { kept.push(Array.from({ length: 100_000 }, (_, n) => ({ n }))) }, 1)
})
