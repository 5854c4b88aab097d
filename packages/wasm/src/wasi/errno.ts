/** The numbers that upstream answers [proxy-wasm §4]; NOTDIR differs from WASI's own. */
export const Errno = {
  Success: 0,
  BadFile: 8,
  NotDirectory: 20,
  Fault: 21,
  Invalid: 28,
  NoEntry: 44,
  NoSystem: 52,
  NotSupported: 58,
  NotCapable: 76,
} as const;
