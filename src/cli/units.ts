const units = ['KB', 'MB', 'GB', 'TB', 'PB'] as const

/** A number of bytes for people, in decimal units as disks are sold by: `812 B`, `1.4 MB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  let value = bytes / 1000
  let unit = 0
  // 999,950 would otherwise round to "1000.0 KB".
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${value.toFixed(1)} ${units[unit]}`
}

/** A whole number with separators: `12,345`. */
export const countText = (count: number): string => count.toLocaleString('en-GB')

/** `1 document`, `12,345 documents`. */
export const counted = (count: number, noun: string): string => `${countText(count)} ${noun}${count === 1 ? '' : 's'}`

/** A number of seconds as `42 s`, `3 min 20 s` or `2 h 5 min`. */
export function secondsText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}
