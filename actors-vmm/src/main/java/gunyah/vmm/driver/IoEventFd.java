package gunyah.vmm.driver;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A guest store that becomes an event without leaving RUN (v17 34/35). */
public final class IoEventFd implements VmFunction {
    private final IoHandlers handlers;
    private final IoHandlers.Handler handler;

    IoEventFd(IoHandlers handlers, IoHandlers.Handler handler) {
        this.handlers = handlers;
        this.handler = handler;
    }

    /** {@return the address whose stores are events} */
    public long address() {
        return handler.address();
    }

    @Override
    public CompletionStage<Void> unbind() {
        handlers.remove(handler);
        return CompletableFuture.completedFuture(null);
    }
}
