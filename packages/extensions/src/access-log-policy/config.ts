import { JsonValue, RootContext } from "@mixerless/sdk";
import { durationMilliseconds, member, readConfiguration, warnOfUnknown } from "../configuration.ts";

const NAME: string = "access_log_policy";
const HOUR: i32 = 3600000;
const DEFAULT_WINDOW: i32 = 12 * HOUR;
const DEFAULT_CACHE_SIZE: i32 = 500;
const MAXIMUM_CACHE_SIZE: i32 = 100000;

const KNOWN: string[] = ["log_window_duration", "max_client_cache_size"];

/** `accesslogpolicy.config.v1alpha1.AccesslogPolicyConfig`. */
export class PolicyConfig {
  /** Milliseconds between two logged requests of one client. */
  readonly window: i32;
  /** Clients that are remembered. */
  readonly maxClients: i32;

  constructor(window: i32, maxClients: i32) {
    this.window = window;
    this.maxClients = maxClients;
  }
}

/** Null, after a log line, if it is not JSON. */
export function readPolicyConfig(root: RootContext, text: string): PolicyConfig | null {
  const object = readConfiguration(root, NAME, text);
  if (object === null) return null;
  warnOfUnknown(root, NAME, object, KNOWN);
  const window: i32 = durationMilliseconds(member(object, "log_window_duration"), DEFAULT_WINDOW);
  return new PolicyConfig(window, cacheSize(member(object, "max_client_cache_size")));
}

function cacheSize(value: JsonValue | null): i32 {
  const size: i32 = value === null ? DEFAULT_CACHE_SIZE : value.asInteger(DEFAULT_CACHE_SIZE);
  if (size < 1) return DEFAULT_CACHE_SIZE;
  return size > MAXIMUM_CACHE_SIZE ? MAXIMUM_CACHE_SIZE : size;
}
