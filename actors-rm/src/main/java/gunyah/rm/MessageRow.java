package gunyah.rm;

import gunyah.rm.MessageTable.Services;
import gunyah.rm.root.HypFault;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.WireWriter;
import gunyah.rm.vm.Answer;
import gunyah.rm.vm.Call;
import gunyah.rm.vm.Vm;
import gunyah.rm.vm.VmTable;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * One request that is served.
 *
 * @param id      which
 * @param decoder reads its payload; throws {@link RmFault}
 * @param scope   who may send it about whom, in which states
 * @param errors  what it may be answered with besides OK, and what the hypervisor refuses
 * @param service does it
 */
record MessageRow<T>(MessageId id, Function<byte[], T> decoder, Scope<T> scope, Set<RmError> errors,
        Service<T> service) {
    /** Serves one request; the answer is sent exactly once, or a fault says what it is. */
    @FunctionalInterface
    interface Service<T> {
        void serve(Services services, Call<T> call);
    }

    /**
     * Decodes, checks and serves. Whatever is refused is answered; only defects of ours are thrown.
     *
     * @param about told of the VM the request is about once that is known
     */
    void serve(Services services, VmTable vms, Vm caller, byte[] payload, Answer answer, Consumer<Vm> about) {
        try {
            T request = decoder.apply(payload);
            Vm target = scope.target(vms, caller, request);
            if (scope.isAboutTarget()) {
                about.accept(target);
            }
            service.serve(services, new Call<>(caller, target, request, answer));
        } catch (RmFault fault) {
            answer.send(refusal(fault.error(), 0));
        } catch (HypFault fault) {
            answer.send(refusal(fault.rmError(), fault.error().code()));
        }
    }

    private Reply refusal(RmError error, int hypervisorError) {
        return scope.hasErrorWord() ? new Reply(error.code(), new WireWriter().u32(hypervisorError).toBytes())
                : Reply.of(error);
    }
}
