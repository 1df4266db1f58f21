/**
 * Doorbells: {@link gunyah.hyp.doorbell.Doorbell} is the object, its actor owns the flags and runs on the caller's
 * thread, {@link gunyah.hyp.doorbell.DoorbellCalls} are the hypercalls. Source: Gunyah hyp/ipc/doorbell.
 */
package gunyah.hyp.doorbell;
