package gunyah.hyp;

import akka.dispatch.DispatcherPrerequisites;
import akka.dispatch.ExecutorServiceConfigurator;
import akka.dispatch.ExecutorServiceFactory;
import com.typesafe.config.Config;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;

/** Executor of dispatcher {@code gunyah.dispatcher.blocking}: one virtual thread per task, for work that waits. */
public final class VirtualThreadExecutor extends ExecutorServiceConfigurator {
    public VirtualThreadExecutor(Config config, DispatcherPrerequisites prerequisites) {
        super(config, prerequisites);
    }

    @Override
    public ExecutorServiceFactory createExecutorServiceFactory(String id, ThreadFactory threadFactory) {
        return () -> Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name(id + "-", 0).factory());
    }
}
