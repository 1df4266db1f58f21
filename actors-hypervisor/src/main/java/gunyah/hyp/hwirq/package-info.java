/**
 * Hardware interrupts: {@link gunyah.hyp.hwirq.HwIrq} is the object, {@link gunyah.hyp.hwirq.HardwareLine} the wire that
 * a device of the machine drives, {@link gunyah.hyp.hwirq.HwIrqCalls} are the hypercalls. Thread safe, no actor: a line
 * is raised by whoever models the device. Source: Gunyah hyp/core/irq, hyp/vm/vgic.
 */
package gunyah.hyp.hwirq;
