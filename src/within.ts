/**
 * What `work` answers, or `late` where it takes longer than `ms`. What it answers after that is handed to `after`, to
 * be undone; that it fails then is nobody's business any more.
 */
export async function within<T> (
  work: Promise<T>, ms: number, late: T, after: (answer: T) => void = () => undefined
): Promise<T> {
  let over = false
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<T>((resolve) => {
    timer = setTimeout(() => {
      over = true
      resolve(late)
    }, ms)
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    clearTimeout(timer)
    if (over) void work.then(after, () => undefined)
  }
}
