package gunyah.hyp.pcpu;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import gunyah.hyp.HandlerSetup;
import gunyah.hyp.timer.Alarm;
import gunyah.hyp.timer.Alarms;
import gunyah.hyp.trace.TraceSink;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The scheduler of one physical CPU: fixed priorities, round robin, directed yield (Gunyah hyp/core/scheduler_fprr).
 * At most one thread holds the CPU's grant; the scheduler never takes it away but asks for it and continues in
 * {@link Release}. Runs on the sender's thread and never blocks.
 *
 * <p>{@code active} is the scheduling entity: its slice and priority count. {@code running} is who executes: the
 * active thread, or the one it yields to. Both are null when the CPU is idle.
 *
 * <p>A message that breaks is our bug, and the queues may be half written then. They are made anew from what the threads
 * say ({@link Survey}): who has the grant keeps it until its Release, who is runnable queues again, at the tail; then the
 * message is taken once more. No thread is lost and none runs twice.
 */
public final class PcpuActor {
    /** What the scheduler is told. */
    public sealed interface Command {
    }

    /** A thread affine to this CPU became runnable. Ignored when it is queued or has the CPU. */
    public record Ready(Schedulable thread) implements Command {
    }

    /** The thread with the grant returns it. Ignored from anybody else. */
    public record Release(Schedulable thread, Reason reason) implements Command {
    }

    /** The thread with the grant lets {@code target} run on its slice; it is granted again when that ends. */
    public record YieldTo(Schedulable yielder, Schedulable target) implements Command {
    }

    /** The yielder got a wake-up: its directed yield ends. Ignored when it does not yield. */
    public record CancelYield(Schedulable yielder) implements Command {
    }

    /** Takes a blocked thread off this CPU; {@link Schedulable#moved} is called once it is off. */
    public record Move(Schedulable thread, int destination) implements Command {
    }

    /** A thread of this CPU has ended: it waits no more. Ignored when it does not. */
    public record Gone(Schedulable thread) implements Command {
    }

    /** Answers with what the CPU is doing. */
    public record Describe(ActorRef<PcpuState> replyTo) implements Command {
    }

    /** Stops the actor; its threads run no more. */
    public enum Stop implements Command { INSTANCE }

    private enum SliceEnd implements Command { INSTANCE }

    /** Why a thread gives its CPU back. */
    public enum Reason {
        /** It waits for something; or waited, and was woken meanwhile. */
        BLOCKED,
        /** It was asked to. */
        PREEMPTED,
        /** It called scheduler_yield. */
        YIELDED
    }

    private static final Logger LOG = LoggerFactory.getLogger(PcpuActor.class);
    /** So many messages in a row that break, and there is no hope. */
    private static final int FAILURES_IN_A_ROW = 100;
    private static final int MOST_SLICES_OWED = 2;

    private final Pcpu cpu;
    private final Alarms alarms;
    private final HostCores cores;
    private final Supplier<? extends Iterable<? extends Schedulable>> threads;
    private final Consumer<String> fatal;
    /** Null when nobody listens. */
    private final TraceSink trace;
    private final Alarm sliceAlarm;
    private final RunQueues queues = new RunQueues();
    private Schedulable active;
    private Schedulable running;
    private boolean preempting;
    /** Why the running thread is asked for the CPU. */
    private TraceSink.Stop cause;
    private boolean yieldCancelled;
    private boolean countedBusy;
    /** The running thread is being told that it has the grant. */
    private boolean granting;
    private int failures;
    private long accountedNs;
    private long alarmNs = Alarm.NEVER;
    private long busyNs;
    private long idleNs;
    private long switches;
    private long preemptions;

    private PcpuActor(Pcpu cpu, ActorRef<Command> self, Alarms alarms, HostCores cores, TraceSink trace,
            Supplier<? extends Iterable<? extends Schedulable>> threads, Consumer<String> fatal) {
        this.cpu = cpu;
        this.alarms = alarms;
        this.cores = cores;
        this.threads = threads;
        this.fatal = fatal;
        this.trace = trace;
        this.sliceAlarm = alarms.create(() -> self.tell(SliceEnd.INSTANCE));
        this.accountedNs = alarms.now();
    }

    /** {@return a scheduler as below, of a machine without other threads than those it is told of} */
    public static Behavior<Command> create(Pcpu cpu, Alarms alarms, HostCores cores) {
        return create(cpu, alarms, cores, null, List::of, reason -> { });
    }

    /**
     * {@return the scheduler of {@code cpu}, which must be connected to the spawned actor by {@link Pcpu#start}}
     *
     * @param trace   hears who runs and why it stops; null for nobody
     * @param threads those of the machine, asked for when the scheduler has to begin anew; any thread
     * @param fatal   told why the scheduler gave up for good: this CPU runs nobody any more
     */
    public static Behavior<Command> create(Pcpu cpu, Alarms alarms, HostCores cores, TraceSink trace,
            Supplier<? extends Iterable<? extends Schedulable>> threads, Consumer<String> fatal) {
        return Behaviors.setup(context -> {
            PcpuActor scheduler = new PcpuActor(cpu, context.getSelf(), alarms, cores, trace, threads, fatal);
            Function<Command, Behavior<Command>> handler =
                    HandlerSetup.surround(context, scheduler::onCommand);
            return Behaviors.receiveMessage(command -> scheduler.attempt(handler, command));
        });
    }

    private Behavior<Command> attempt(Function<Command, Behavior<Command>> handler, Command command) {
        long grants = switches;
        try {
            Behavior<Command> next = handler.apply(command);
            failures = 0;
            return next;
        } catch (RuntimeException | StackOverflowError | AssertionError bug) {
            LOG.error("{} failed at {} and begins anew", cpu, command, bug);
            if (++failures == FAILURES_IN_A_ROW) {
                return giveUp(bug);
            }
        }
        Schedulable returned = returner(command);
        try {
            rebuild(switches == grants ? returned : null);
            // Who returned the grant may have it again: its message is out of date.
            return returned == null ? handler.apply(command) : Behaviors.same();
        } catch (RuntimeException | StackOverflowError | AssertionError bug) {
            LOG.error("{} fails at {} again, which is left out", cpu, command, bug);
        }
        try {
            rebuild(null);
            return Behaviors.same();
        } catch (RuntimeException | StackOverflowError | AssertionError bug) {
            LOG.error("{} cannot begin anew", cpu, bug);
            return giveUp(bug);
        }
    }

    private Behavior<Command> giveUp(Throwable bug) {
        fatal.accept("the scheduler of %s failed: %s".formatted(cpu, bug));
        return Behaviors.stopped();
    }

    private static Schedulable returner(Command command) {
        return switch (command) {
            case Release(Schedulable thread, Reason ignored) -> thread;
            case YieldTo(Schedulable yielder, Schedulable ignored) -> yielder;
            default -> null;
        };
    }

    /**
     * Makes the queues anew.
     *
     * @param returned the thread whose message was that it gives the grant back, and which got no other since
     */
    private void rebuild(Schedulable returned) {
        Schedulable holder = running == returned || granting && !running.holds(cpu) ? null : running;
        Survey survey = new Survey(cpu, threads.get());
        survey.add(active);
        survey.add(running);
        queues.clear();
        preempting = false;
        yieldCancelled = false;
        alarmNs = Alarm.NEVER;
        accountedNs = alarms.now();
        granting = false;
        running = holder;
        active = survey.entity(holder);
        countBusy(active != null);
        for (Schedulable thread : survey.others(running, active)) {
            queueAgain(thread);
        }
        if (running == null) {
            dispatch();
            return;
        }
        Survey.unlink(running);
        Survey.unlink(active);
        if (running != active || running.destination != Schedulable.STAYS) {
            // What ended the directed yield may be what broke.
            yieldCancelled = running != active;
            preemptRunning(TraceSink.Stop.RECALLED);
        } else {
            reschedule();
        }
    }

    private void queueAgain(Schedulable thread) {
        boolean was = thread.runningOn() == cpu;
        thread.yieldTarget = null;
        if (was) {
            thread.releaseCpu();
        }
        if (thread.destination != Schedulable.STAYS) {
            finishMove(thread);
        } else if (thread.affinity() == cpu.index()) {
            if (thread.runnable()) {
                enqueue(thread, true);
            }
        } else if (was) {
            announce(thread);
        }
    }

    private Behavior<Command> onCommand(Command command) {
        switch (command) {
            case Ready(Schedulable thread) -> onReady(thread);
            case Release(Schedulable thread, Reason reason) -> onRelease(thread, reason);
            case YieldTo(Schedulable yielder, Schedulable target) -> onYieldTo(yielder, target);
            case CancelYield(Schedulable yielder) -> onCancelYield(yielder);
            case SliceEnd.INSTANCE -> onSliceEnd();
            case Move(Schedulable thread, int destination) -> onMove(thread, destination);
            case Gone(Schedulable thread) -> onGone(thread);
            case Describe(ActorRef<PcpuState> replyTo) -> replyTo.tell(describe());
            case Stop.INSTANCE -> {
                sliceAlarm.disarm();
                return Behaviors.stopped();
            }
        }
        return Behaviors.same();
    }

    private void onReady(Schedulable thread) {
        if (thread.queued || thread == active || thread == running || thread.affinity() != cpu.index()
                || !thread.runnable()) {
            return;
        }
        account();
        thread.remainingNs = thread.timesliceNs();
        enqueue(thread, true);
        if (active == null) {
            dispatch();
        } else {
            reschedule();
        }
    }

    private void onSliceEnd() {
        alarmNs = Alarm.NEVER;
        if (active != null) {
            reschedule();
        }
    }

    private void onCancelYield(Schedulable yielder) {
        if (yielder == active && running != null && running != active) {
            yieldCancelled = true;
            preemptRunning(TraceSink.Stop.RECALLED);
        }
    }

    private void onYieldTo(Schedulable yielder, Schedulable target) {
        if (yielder != running) {
            return;
        }
        account();
        stopped(yielder, TraceSink.Stop.LENT);
        // A yielder that was itself reached by a directed yield only changes the target; the entity stays.
        active.yieldTarget = target;
        if (yielder != active) {
            yielder.releaseCpu();
            announce(yielder);
            finishMove(yielder);
        }
        settle();
    }

    private void onRelease(Schedulable thread, Reason reason) {
        if (thread != running) {
            return;
        }
        account();
        stopped(thread, switch (reason) {
            case BLOCKED -> TraceSink.Stop.BLOCKED;
            case YIELDED -> TraceSink.Stop.YIELDED;
            case PREEMPTED -> preempting ? cause : TraceSink.Stop.PREEMPTED;
        });
        if (thread != active) {
            thread.releaseCpu();
            if (reason != Reason.PREEMPTED || yieldCancelled || !thread.runnable()) {
                endYield();
            }
            announce(thread);
        } else if (reason == Reason.BLOCKED && !thread.runnable()) {
            leave(thread);
        } else if (reason != Reason.PREEMPTED) {
            // Woken before it was off the CPU, or scheduler_yield: either way a full slice at the tail.
            thread.remainingNs = thread.timesliceNs();
            requeue(thread, true);
        }
        finishMove(thread);
        settle();
    }

    private void onMove(Schedulable thread, int destination) {
        thread.destination = destination;
        if (thread == active || thread == running) {
            preemptRunning(TraceSink.Stop.MOVED);
        } else {
            finishMove(thread);
        }
    }

    /** Completes the move that was asked for, if any: {@code thread} has just let go of this CPU. */
    private void finishMove(Schedulable thread) {
        int destination = thread.destination;
        if (destination == Schedulable.STAYS) {
            return;
        }
        thread.destination = Schedulable.STAYS;
        thread.yieldTarget = null;
        if (thread == active) {
            yieldCancelled = false;
            leave(thread);
        } else if (thread.queued) {
            queues.remove(thread);
        }
        boolean done = false;
        try {
            thread.moved(destination);
            done = true;
        } finally {
            if (!done) {
                thread.destination = destination;
            }
        }
    }

    private void onGone(Schedulable thread) {
        if (thread.queued && thread.affinity() == cpu.index() && !thread.runnable()) {
            account();
            dequeue(thread);
            thread.yieldTarget = null;
        }
    }

    /** Something changed while a thread runs: asks for the CPU if another should have it. */
    private void reschedule() {
        account();
        boolean expired = active.remainingNs <= 0;
        int best = queues.highest();
        if (expired ? best >= active.priority() || running != active : best > active.priority()) {
            preemptRunning(best > active.priority() ? TraceSink.Stop.PREEMPTED : TraceSink.Stop.SLICE_END);
            return;
        }
        armAlarm();
    }

    private void preemptRunning(TraceSink.Stop why) {
        if (!preempting && running != null) {
            preempting = true;
            cause = why;
            preemptions++;
            running.preempt();
        }
    }

    private void stopped(Schedulable thread, TraceSink.Stop why) {
        running = null;
        preempting = false;
        if (trace != null) {
            trace.stop(cpu.index(), thread, why);
        }
    }

    /** Nobody executes: decides whether the active thread keeps the CPU, then grants it. */
    private void settle() {
        Schedulable entity = active;
        if (entity != null) {
            int best = queues.highest();
            if (!entity.runnable()) {
                endYield();
                leave(entity);
                finishMove(entity);
            } else if (entity.remainingNs <= 0) {
                endYield();
                boolean waited = best >= entity.priority();
                entity.remainingNs = waited ? nextSlice(entity) : entity.timesliceNs();
                if (waited) {
                    requeue(entity, true);
                }
            } else if (best > entity.priority()) {
                requeue(entity, false);
            }
        }
        dispatch();
    }

    /** Grants the CPU to the active thread, or its yield target, or the best waiting thread. */
    private void dispatch() {
        if (active == null) {
            active = takeBest();
            if (active == null) {
                return;
            }
            countBusy(true);
        }
        Schedulable target = active.yieldTarget;
        if (target != null && !active.takeWakeup() && !yieldCancelled && take(target)) {
            if (target.queued) {
                dequeue(target);
            }
            grant(target);
            return;
        }
        endYield();
        grant(active);
    }

    /** Takes the target of a directed yield for this CPU. {@return false when it may not run here, or runs elsewhere} */
    private boolean take(Schedulable target) {
        if (!mayRun(target) || !target.acquire(cpu)) {
            return false;
        }
        // Again: whoever blocks or moves it does that first and then looks where it runs.
        if (mayRun(target)) {
            return true;
        }
        target.releaseCpu();
        return false;
    }

    private boolean mayRun(Schedulable target) {
        int affinity = target.affinity();
        return target.runnable() && (affinity == Schedulable.NO_CPU || affinity == cpu.index());
    }

    private Schedulable takeBest() {
        while (true) {
            Schedulable best = queues.first();
            if (best == null) {
                return null;
            }
            dequeue(best);
            if (best.runnable() && best.acquire(cpu)) {
                return best;
            }
            // It blocked meanwhile, which ends its directed yield, and is announced again when that ends.
            best.yieldTarget = null;
        }
    }

    /**
     * A full slice, less what the thread took of the others' time by giving the CPU back late: asking a thread of the
     * host to stop takes longer than a timer interrupt. It pays up to half a slice now and the rest with later slices
     * (docs/adr/0007-slice-overrun.md).
     */
    private static long nextSlice(Schedulable thread) {
        long sliceNs = thread.timesliceNs();
        long owedNs = Math.min(thread.owedNs - thread.remainingNs, MOST_SLICES_OWED * sliceNs);
        long paidNs = Math.min(owedNs, sliceNs / 2);
        thread.owedNs = owedNs - paidNs;
        return sliceNs - paidNs;
    }

    private void grant(Schedulable thread) {
        running = thread;
        preempting = false;
        switches++;
        armAlarm();
        if (trace != null) {
            trace.run(cpu.index(), thread, active);
        }
        granting = true;
        thread.grant(cpu);
        granting = false;
    }

    private void requeue(Schedulable thread, boolean tail) {
        leave(thread);
        enqueue(thread, tail);
    }

    private void enqueue(Schedulable thread, boolean tail) {
        thread.waitingSinceNs = accountedNs;
        if (tail) {
            queues.addTail(thread);
        } else {
            queues.addHead(thread);
        }
    }

    private void dequeue(Schedulable thread) {
        queues.remove(thread);
        thread.waited(accountedNs - thread.waitingSinceNs);
    }

    private void leave(Schedulable thread) {
        active = null;
        countBusy(false);
        thread.releaseCpu();
    }

    private void countBusy(boolean busy) {
        if (busy != countedBusy) {
            countedBusy = busy;
            if (busy) {
                cores.pcpuBusy();
            } else {
                cores.pcpuIdle();
            }
        }
    }

    private void endYield() {
        yieldCancelled = false;
        if (active != null) {
            active.yieldTarget = null;
        }
    }

    /** A thread that ran here by directed yield waits for its own CPU again. */
    private void announce(Schedulable thread) {
        if (thread.affinity() == cpu.index()) {
            if (!thread.queued && thread.runnable()) {
                enqueue(thread, false);
            }
        } else if (thread.affinity() != Schedulable.NO_CPU && thread.runnable()) {
            thread.announceHome();
        }
    }

    private void account() {
        long now = alarms.now();
        long elapsed = now - accountedNs;
        accountedNs = now;
        if (active == null) {
            idleNs += elapsed;
            return;
        }
        busyNs += elapsed;
        long left = active.remainingNs - elapsed;
        // A slice that is over while nobody waits for that is over when somebody does, but has no overrun.
        active.remainingNs = alarmNeeded() ? left : Math.min(active.remainingNs, Math.max(left, 0));
        Schedulable executing = running == null ? active : running;
        executing.runNs += elapsed;
    }

    /** The alarm is needed only if somebody waits at this priority, or the CPU is lent by a directed yield. */
    private void armAlarm() {
        if (!alarmNeeded()) {
            return;
        }
        long sliceEndNs = accountedNs + Math.max(active.remainingNs, 0);
        if (sliceEndNs != alarmNs) {
            alarmNs = sliceEndNs;
            sliceAlarm.arm(sliceEndNs);
        }
    }

    private boolean alarmNeeded() {
        return running != active || queues.waits(active.priority());
    }

    private PcpuState describe() {
        account();
        return new PcpuState(cpu.index(), name(active), name(running), busyNs, idleNs, switches, preemptions);
    }

    private static String name(Schedulable thread) {
        return thread == null ? "" : thread.toString();
    }
}
