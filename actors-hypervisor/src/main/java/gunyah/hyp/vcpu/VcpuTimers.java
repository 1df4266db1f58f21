package gunyah.hyp.vcpu;

import gunyah.arm64.state.VcpuControl;
import gunyah.hyp.HypError;
import gunyah.hyp.VirqSource;
import gunyah.hyp.timer.Alarm;
import gunyah.hyp.timer.SystemCounter;
import gunyah.hyp.vic.Vic;
import java.util.function.LongPredicate;

/**
 * The EL1 virtual and physical timers of a vCPU as interrupts (PPI 27 and 30) and deadlines (Gunyah
 * hyp/vm/arm_vm_timer), and the overflow interrupt of its PMU (PPI 23). While the vCPU executes, an alarm raises its attention; while it waits for an interrupt, the
 * alarm wakes it, and while it lends its CPU the alarm ends that; while it is pre-empted the alarm changes nothing, and
 * the lines are looked at when it runs next. Used by the vCPU's thread, or while that does not execute.
 */
final class VcpuTimers {
    private static final int VIRTUAL_PPI = 27;
    private static final int PHYSICAL_PPI = 30;
    private static final int OVERFLOW_PPI = 23;

    private final Vcpu vcpu;
    private final VcpuEngine engine;
    private final SystemCounter counter;
    private final Alarm alarm;
    private final Line virtualLine;
    private final Line physicalLine;
    private final Line overflowLine;
    private long armedTicks = Long.MAX_VALUE;

    VcpuTimers(Vcpu vcpu, VcpuEngine engine, Machine machine) {
        this.vcpu = vcpu;
        this.engine = engine;
        this.counter = machine.counter();
        this.alarm = machine.alarms().create(this::onAlarm);
        virtualLine = new Line(engine::virtualTimerLine);
        physicalLine = new Line(engine::physicalTimerLine);
        overflowLine = new Line(now -> engine.overflowLine());
    }

    HypError bind(Vic vic, int index) {
        HypError error = vic.bindPrivate(virtualLine, index, VIRTUAL_PPI);
        if (error == HypError.OK) {
            error = vic.bindPrivate(physicalLine, index, PHYSICAL_PPI);
        }
        return error == HypError.OK ? vic.bindPrivate(overflowLine, index, OVERFLOW_PPI) : error;
    }

    void unbind() {
        alarm.disarm();
        virtualLine.unbind();
        physicalLine.unbind();
        overflowLine.unbind();
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

    /** The level of the overflow interrupt may have changed. */
    void overflowChanged() {
        overflowLine.drive(0);
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
        overflowChanged();
    }

    /** On the timer thread: only tells the vCPU, whose thread owns the timer registers. */
    private void onAlarm() {
        vcpu.control().raise(VcpuControl.TIMER);
        vcpu.wake();
    }

    private final class Line extends VirqSource {
        private final LongPredicate level;
        private boolean high;

        /** @param source its level at a counter value */
        private Line(LongPredicate source) {
            this.level = source;
        }

        private void drive(long now) {
            boolean level = this.level.test(now);
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
            high = level.test(counter.ticks());
            return high;
        }

        private void unbind() {
            if (boundController() != null) {
                boundController().unbind(this);
            }
        }
    }
}
