/** Loaded before a gateway: with SIGUSR2 its event loop does nothing else for BLOCK_MS. */
const ms = Number(process.env['BLOCK_MS'])
process.on('SIGUSR2', () => {
  const until = performance.now() + ms
  while (performance.now() < until);
})
