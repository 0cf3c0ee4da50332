/** Loaded before the program with `node --import`: lets the fault strike that STRONGROOM_FAULT describes. */
import type { Point } from './calls.ts'
import { startWatching } from './hooks.ts'
import { injector, type Place } from './injector.ts'

const { place, point } = JSON.parse(process.env.STRONGROOM_FAULT ?? '') as { place: Place; point: Point }
await startWatching(injector(place, point).watcher)
