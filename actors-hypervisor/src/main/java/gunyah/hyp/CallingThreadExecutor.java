package gunyah.hyp;

import akka.dispatch.DispatcherPrerequisites;
import akka.dispatch.ExecutorServiceConfigurator;
import akka.dispatch.ExecutorServiceFactory;
import com.typesafe.config.Config;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

/**
 * Executor of dispatcher {@code gunyah.dispatcher.hypercall}: an actor's mailbox runs on the thread that sent to it,
 * so a hypercall runs on the CPU that made it. Actors keep their semantics: Akka schedules a mailbox once, so while
 * one thread runs an actor the others only enqueue. Actors on it must never block.
 */
public final class CallingThreadExecutor extends ExecutorServiceConfigurator {
    public CallingThreadExecutor(Config config, DispatcherPrerequisites prerequisites) {
        super(config, prerequisites);
    }

    @Override
    public ExecutorServiceFactory createExecutorServiceFactory(String id, ThreadFactory threadFactory) {
        return CallingThread::new;
    }

    /** What a thread is running now. */
    private static final class Turn {
        private Runnable mailbox;
        private boolean again;
    }

    /** Declares what a mailbox, written in Scala, throws undeclared. */
    @FunctionalInterface
    private interface MailboxRun {
        void call(Runnable mailbox) throws InterruptedException;
    }

    private static final MailboxRun MAILBOX_RUN = Runnable::run;

    private static final class CallingThread extends AbstractExecutorService implements ExecutorService {
        private final ThreadLocal<Turn> turns = ThreadLocal.withInitial(Turn::new);
        private volatile boolean shutdown;

        @Override
        public void execute(Runnable mailbox) {
            Turn turn = turns.get();
            if (turn.mailbox == mailbox) {
                // A mailbox that got messages while it was ending schedules itself from inside its own run: loop
                // instead of nesting, or a busy actor would grow the stack without bound.
                turn.again = true;
                return;
            }
            Runnable outer = turn.mailbox;
            boolean outerAgain = turn.again;
            turn.mailbox = mailbox;
            boolean interrupted = Thread.interrupted();
            try {
                do {
                    turn.again = false;
                    interrupted |= runInterruptibly(mailbox);
                } while (turn.again);
            } finally {
                turn.mailbox = outer;
                turn.again = outerAgain;
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        /**
         * An interrupt is meant for the caller, not for the actor it happens to run: Akka ends a mailbox run by an
         * InterruptedException between two messages, having kept the rest, and asks to be run again.
         */
        private static boolean runInterruptibly(Runnable mailbox) {
            try {
                MAILBOX_RUN.call(mailbox);
                return false;
            } catch (InterruptedException e) {
                return true;
            }
        }

        @Override
        public void shutdown() {
            shutdown = true;
        }

        @Override
        public List<Runnable> shutdownNow() {
            shutdown = true;
            return List.of();
        }

        @Override
        public boolean isShutdown() {
            return shutdown;
        }

        @Override
        public boolean isTerminated() {
            return shutdown;
        }

        @Override
        public boolean awaitTermination(long timeout, TimeUnit unit) {
            return shutdown;
        }
    }
}
