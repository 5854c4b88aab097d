export { Backoff, type BackoffOptions } from "./backoff.ts";
export { BatchQueue, type BatchQueueOptions, type BatchReport, type SendOutcome } from "./batch-queue.ts";
