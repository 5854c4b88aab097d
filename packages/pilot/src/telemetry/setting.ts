import type { ConfigObject } from "../config/config-object.ts";
import { formatPath, type PathSegment, parsePath } from "../config/field-path.ts";

/** Where a setting stands. Without an object: what holds where nobody has written anything. */
export interface Place {
  readonly config: ConfigObject | undefined;
  /** Field path in the object. */
  readonly path: string;
}

/** A value in force, who wrote it, and what it replaced. */
export interface Setting<T> {
  readonly value: T;
  readonly place: Place;
  readonly overrode?: Setting<T>;
}

/** A setting on top of what held before. */
export function override<T>(before: Setting<T> | undefined, value: T, place: Place): Setting<T> {
  return Object.freeze(before === undefined ? { value, place } : { value, place, overrode: before });
}

/** A place further in. */
export function below({ config, path }: Place, ...segments: readonly PathSegment[]): Place {
  return { config, path: formatPath([...parsePath(path), ...segments]) };
}
