declare module 'fs-native-extensions' {
  /** false: another open file holds the lock. It ends when the file is closed, also by the end of the process. */
  export function tryLock (fd: number, offset?: number, length?: number): boolean
  export function unlock (fd: number, offset?: number, length?: number): void
}
