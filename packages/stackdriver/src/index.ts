export { createStackdriver, type Stackdriver, type StackdriverOptions } from "./stackdriver.ts";
