import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseMoment } from './moments.ts'

describe('parseMoment', () => {
  test.each([
    ['2023-01-20T06:58:27.691980+01:00', '2023-01-20T05:58:27.691980Z'],
    ['2023-11-11 06:22:08.978201+00:00', '2023-11-11T06:22:08.978201Z'],
    ['2023-01-20T06:58:27Z', '2023-01-20T06:58:27.000000Z'],
    ['2023-01-20T06:58:27', '2023-01-20T06:58:27.000000Z'],
    ['2023-01-20T06:58', '2023-01-20T06:58:00.000000Z'],
    ['2023-01-20T06:58:27.5Z', '2023-01-20T06:58:27.500000Z'],
    ['2023-01-20T06:58:27,25Z', '2023-01-20T06:58:27.250000Z'],
    ['2023-01-20T06:58:27.123456789Z', '2023-01-20T06:58:27.123456Z'],
    ['2023-01-20 06:58:27 +0530', '2023-01-20T01:28:27.000000Z'],
    ['2023-01-20T06:58:27-08', '2023-01-20T14:58:27.000000Z'],
    ['2024-02-29T23:59:59.999999-00:30', '2024-03-01T00:29:59.999999Z'],
    ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000000Z'],
    ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'],
    ['1969-12-31T23:59:59.999999+00:00', '1969-12-31T23:59:59.999999Z'],
  ])('%s is %s', (text, moment) => expect(parseMoment(text)).toBe(moment))

  test.each([
    '',
    'now',
    '2023',
    '2023-01-20',
    '24.11.2026-14:03:52',
    '2023-01-20T',
    '2023-1-20T06:58:27Z',
    '2023-13-01T00:00:00Z',
    '2023-00-10T00:00:00Z',
    '2023-01-00T00:00:00Z',
    '2023-01-32T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2024-02-30T00:00:00Z',
    '2023-04-31T00:00:00Z',
    '2023-01-20T25:00:00Z',
    '2023-01-20T06:60:00Z',
    '2023-01-20T06:58:61Z',
    '2023-01-20T06:58:27+25:00',
    '2023-01-20T06:58:27+01:99',
    '0000-06-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '+002023-01-20T06:58:27Z',
    ' 2023-01-20T06:58:27Z',
    '2023-01-20T06:58:27Z\n',
    '２０２３-01-20T06:58:27Z',
  ])('%j is no moment', (text) => expect(parseMoment(text)).toBeUndefined())

  test('gives the same moment whatever the offset, and takes its own form', () => {
    const date = fc.date({
      min: new Date('0002-01-01T00:00:00Z'),
      max: new Date('9998-12-31T00:00:00Z'),
      noInvalidDate: true,
    })
    const law = fc.property(
      date,
      fc.integer({ min: -14 * 60, max: 14 * 60 }),
      fc.nat(999),
      (moment, minutes, micros) => {
        const local = new Date(moment.getTime() + minutes * 60_000).toISOString().slice(0, -1)
        const sign = minutes < 0 ? '-' : '+'
        const offset = `${sign}${String(Math.trunc(Math.abs(minutes) / 60)).padStart(2, '0')}:${String(Math.abs(minutes) % 60).padStart(2, '0')}`
        const fraction = String(micros).padStart(3, '0')
        const expected = moment.toISOString().replace('Z', `${fraction}Z`)
        expect(parseMoment(`${local}${fraction}${offset}`)).toBe(expected)
        expect(parseMoment(expected)).toBe(expected)
      },
    )
    fc.assert(law, { numRuns: 500 })
  })
})
