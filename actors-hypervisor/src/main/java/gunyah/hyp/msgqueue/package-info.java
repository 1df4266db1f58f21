/**
 * Message queues: {@link gunyah.hyp.msgqueue.MsgQueue} is the object, its actor owns the ring and runs on the caller's
 * thread, {@link gunyah.hyp.msgqueue.MsgQueueCalls} are the hypercalls. Capacity and thresholds are the queue's own:
 * the actor's mailbox only orders calls. Source: Gunyah hyp/ipc/msgqueue.
 */
package gunyah.hyp.msgqueue;
