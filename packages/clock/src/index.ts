export type { Clock, Timer } from "./clock.ts";
export { type Deadline, DeadlineWheel } from "./deadline-wheel.ts";
export { SystemClock } from "./system-clock.ts";
export { VirtualClock } from "./virtual-clock.ts";
