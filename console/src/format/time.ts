/** Times come with an offset and are always shown in Asia/Shanghai, whatever the browser's zone is. */

export type TimeStyle = 'full' | 'minute' | 'short' | 'date' | 'time' | 'hour';

const parts = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'Asia/Shanghai',
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** "2026-09-21T03:05:09Z" -> "2026-09-21 11:05:09"; text that is no time is shown as it is. */
export function formatTime(text: string | null | undefined, style: TimeStyle = 'full'): string {
  if (!text) return '–';
  const at = new Date(text);
  if (!/^\d{4}-\d\d-\d\dT/.test(text) || Number.isNaN(at.getTime())) return text;
  const p = Object.fromEntries(parts.formatToParts(at).map((part) => [part.type, part.value]));
  const date = `${p.year}-${p.month}-${p.day}`;
  const minute = `${p.hour}:${p.minute}`;
  switch (style) {
    case 'full':
      return `${date} ${minute}:${p.second}`;
    case 'minute':
      return `${date} ${minute}`;
    case 'short':
      return `${p.month}-${p.day} ${minute}:${p.second}`;
    case 'date':
      return date;
    case 'time':
      return `${minute}:${p.second}`;
    case 'hour':
      return `${p.hour}:00`;
  }
}

/** Time left until `due`, or passed since, in whole hours or days; `now` comes from the server's data. */
export function dueIn(due: string, now: string): { amount: number; unit: 'hour' | 'day'; past: boolean } {
  const hours = Math.trunc((new Date(due).getTime() - new Date(now).getTime()) / 3_600_000);
  const past = hours < 0 || new Date(due) < new Date(now);
  const size = Math.abs(hours);
  return size < 48 ? { amount: size, unit: 'hour', past } : { amount: Math.trunc(size / 24), unit: 'day', past };
}
