import type { DescMessage, Message } from "@bufbuild/protobuf";
import { walkFields } from "@mixerless/wire";
import type { ConfigFault } from "../network/config-fault.ts";
import { classifyField } from "./classify-field.ts";

const MAX_FAULTS = 50;

/** A fault for every set field that would change the meaning and that nobody here acts on. */
export function refuseUnsupported(schema: DescMessage, message: Message): ConfigFault[] {
  const faults: ConfigFault[] = [];
  walkFields(schema, message as never, {
    field: (visit) => {
      const made = classifyField(visit);
      if (made === "refused" && faults.length < MAX_FAULTS) {
        faults.push({ path: visit.path.toString(), message: "is not supported by this data plane; remove it" });
      }
      return made === "implemented";
    },
  });
  return faults;
}
