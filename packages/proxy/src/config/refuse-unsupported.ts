import type { DescMessage, Message } from "@bufbuild/protobuf";
import { walkFields } from "@mixerless/wire";
import type { ConfigFault } from "../network/config-fault.ts";
import { BOOTSTRAP_FIELD_CLASSES } from "./bootstrap-field-classes.ts";
import { FIELD_CLASSES } from "./field-classes.ts";

const MAX_FAULTS = 50;

/** A fault for every set field that would change the meaning and that nobody here acts on. */
export function refuseUnsupported(schema: DescMessage, message: Message): ConfigFault[] {
  const faults: ConfigFault[] = [];
  walkFields(schema, message as never, {
    field: ({ schema: owner, field, path }) => {
      const classes = FIELD_CLASSES[owner.typeName] ?? BOOTSTRAP_FIELD_CLASSES[owner.typeName];
      // What lies below a message that is not listed belongs to its compiler.
      if (classes === undefined) return false;
      if (classes.implemented.includes(field.name)) return true;
      if (!classes.ignored.includes(field.name) && faults.length < MAX_FAULTS) {
        faults.push({ path: path.toString(), message: "is not supported by this data plane; remove it" });
      }
      return false;
    },
  });
  return faults;
}
