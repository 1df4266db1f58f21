/**
 * Time for the hypervisor: the system counter, and one thread per hypervisor that wakes at exact deadlines for slice
 * ends and guest timers. Nothing here polls: with no deadline armed the thread sleeps. Entry type
 * {@link gunyah.hyp.timer.TimerThread}. Source: Gunyah hyp/core/timer, hyp/vm/arm_vm_timer.
 */
package gunyah.hyp.timer;
