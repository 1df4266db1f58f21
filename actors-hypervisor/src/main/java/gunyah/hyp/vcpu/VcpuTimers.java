package gunyah.hyp.vcpu;

import gunyah.arm64.state.VcpuControl;
import gunyah.hyp.HypError;
import gunyah.hyp.VirqSource;
import gunyah.hyp.timer.Alarm;
import gunyah.hyp.timer.SystemCounter;
import gunyah.hyp.vic.Vic;

/**
 * The EL1 virtual and physical timers of a vCPU as interrupts (PPI 27 and 30) and deadlines (Gunyah
 * hyp/vm/arm_vm_timer). While the vCPU executes, an alarm raises its attention; while it waits for an interrupt, the
 * alarm wakes it, and while it lends its CPU the alarm ends that; while it is pre-empted the alarm changes nothing, and
 * the lines are looked at when it runs next. Used by the vCPU's thread, or while that does not execute.
 */
final class VcpuTimers {
    private static final int VIRTUAL_PPI = 27;
    private static final int PHYSICAL_PPI = 30;

    private final Vcpu vcpu;
    private final VcpuEngine engine;
    private final SystemCounter counter;
    private final Alarm alarm;
    private final Line virtualLine = new Line(true);
    private final Line physicalLine = new Line(false);
    private long armedTicks = Long.MAX_VALUE;

    VcpuTimers(Vcpu vcpu, VcpuEngine engine, Machine machine) {
        this.vcpu = vcpu;
        this.engine = engine;
        this.counter = machine.counter();
        this.alarm = machine.alarms().create(this::onAlarm);
    }

    HypError bind(Vic vic, int index) {
        HypError error = vic.bindPrivate(virtualLine, index, VIRTUAL_PPI);
        return error == HypError.OK ? vic.bindPrivate(physicalLine, index, PHYSICAL_PPI) : error;
    }

    void unbind() {
        alarm.disarm();
        virtualLine.unbind();
        physicalLine.unbind();
    }

    /** The guest wrote a timer register, or the vCPU starts to execute or to wait: lines and alarm are brought up. */
    void evaluate() {
        long now = counter.ticks();
        virtualLine.drive(now);
        physicalLine.drive(now);
        long deadline = engine.nextTimerDeadline();
        if (deadline == Long.MAX_VALUE || deadline <= now || deadline >= armedTicks && armedTicks > now) {
            // A later deadline keeps the earlier alarm: when that comes, this is evaluated again.
            return;
        }
        armedTicks = deadline;
        alarm.arm(counter.clockAt(deadline));
    }

    /** The attention bit TIMER was taken. */
    void expired() {
        armedTicks = Long.MAX_VALUE;
        evaluate();
    }

    /** The vCPU is powered off. */
    void stop() {
        armedTicks = Long.MAX_VALUE;
        alarm.disarm();
        engine.stopTimers();
        evaluate();
    }

    /** On the timer thread: only tells the vCPU, whose thread owns the timer registers. */
    private void onAlarm() {
        vcpu.control().raise(VcpuControl.TIMER);
        vcpu.wake();
    }

    private final class Line extends VirqSource {
        private final boolean isVirtual;
        private boolean high;

        private Line(boolean isVirtual) {
            this.isVirtual = isVirtual;
        }

        private boolean level(long now) {
            return isVirtual ? engine.virtualTimerLine(now) : engine.physicalTimerLine(now);
        }

        private void drive(long now) {
            boolean level = level(now);
            if (level == high) {
                return;
            }
            high = level;
            if (level) {
                assertVirq(false);
            } else {
                clearVirq();
            }
        }

        @Override
        public boolean checkPending(boolean reasserted) {
            high = level(counter.ticks());
            return high;
        }

        private void unbind() {
            if (boundController() != null) {
                boundController().unbind(this);
            }
        }
    }
}
