package gunyah.rm;

import gunyah.rm.memparcel.ParcelServices;
import gunyah.rm.root.HypFault;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.vm.Answer;
import gunyah.rm.vm.Vm;
import gunyah.rm.vm.VmLifecycle;
import gunyah.rm.vm.VmQueries;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which service answers which request. A request without a row is answered UNIMPLEMENTED. */
final class ServiceTable {
    private static final Logger LOG = LoggerFactory.getLogger(ServiceTable.class);

    /** Serves one request; the answer is sent exactly once, or a fault says what it is. */
    @FunctionalInterface
    private interface Service {
        void serve(Vm caller, byte[] payload, Answer answer);
    }

    /** A service that answers at once. */
    @FunctionalInterface
    private interface Immediate {
        Reply serve(Vm caller, byte[] payload);
    }

    private final Map<MessageId, Service> rows = new EnumMap<>(MessageId.class);

    ServiceTable(VmLifecycle life, VmQueries queries, ParcelServices parcels) {
        row(MessageId.VM_ALLOC_VMID, life::allocate);
        row(MessageId.VM_DEALLOC_VMID, life::deallocate);
        row(MessageId.VM_CONFIG_IMAGE, life::configImage);
        row(MessageId.VM_SET_DEMAND_PAGING, life::setDemandPaging);
        row(MessageId.VM_SET_ADDRESS_LAYOUT, life::setAddressLayout);
        row(MessageId.VM_INIT, life::init);
        row(MessageId.VM_SET_BOOT_CONTEXT, life::setBootContext);
        row(MessageId.VM_SET_BOOT_CONTEXT_V16, life::setBootContext);
        row(MessageId.VM_START, life::start);
        rows.put(MessageId.VM_STOP, life::stop);
        rows.put(MessageId.VM_EXIT, life::exit);
        row(MessageId.VM_RESET, life::reset);
        row(MessageId.VM_GET_HYP_RESOURCES, queries::resources);
        row(MessageId.VM_GET_VMID, queries::vmid);
        row(MessageId.VM_GET_OWNER, queries::owner);
        row(MessageId.VM_GET_PEERS, queries::peers);
        row(MessageId.VM_GET_STATE, queries::state);
        row(MessageId.VM_GET_ID, queries::id);
        row(MessageId.VM_LOOKUP_NAME, queries::lookupName);
        row(MessageId.VM_LOOKUP_URI, queries::lookupUri);
        row(MessageId.VM_LOOKUP_GUID, queries::lookupGuid);
        row(MessageId.VM_SET_STATUS, queries::setStatus);
        row(MessageId.VM_SET_CRASH_MSG, queries::setCrashMessage);
        row(MessageId.VM_GET_CRASH_MSG, queries::crashMessage);
        row(MessageId.VM_HOST_GET_TYPE, (caller, payload) -> queries.hostType(payload));
        row(MessageId.MEM_LEND, (caller, payload) -> parcels.create(caller, ParcelTransfer.LEND, payload));
        row(MessageId.MEM_SHARE, (caller, payload) -> parcels.create(caller, ParcelTransfer.SHARE, payload));
        row(MessageId.MEM_APPEND, parcels::append);
        row(MessageId.MEM_RECLAIM, parcels::reclaim);
        row(MessageId.MEM_ACCEPT, parcels::accept);
        row(MessageId.MEM_RELEASE, parcels::release);
        row(MessageId.MEM_NOTIFY, parcels::notify);
    }

    private void row(MessageId id, Immediate service) {
        rows.put(id, (caller, payload, answer) -> answer.send(service.serve(caller, payload)));
    }

    void serve(Vm caller, RmMessage request, Answer answer) {
        Optional<Service> service = MessageId.of(request.messageId()).map(rows::get);
        if (service.isEmpty()) {
            answer.send(Reply.of(RmError.UNIMPLEMENTED));
            return;
        }
        try {
            service.get().serve(caller, request.payload(), answer);
        } catch (RmFault fault) {
            answer.send(Reply.of(fault.error()));
        } catch (HypFault fault) {
            LOG.info("VM {}: request {}: {}", caller.vmid(), MessageId.of(request.messageId()).orElseThrow(),
                    fault.getMessage());
            answer.send(Reply.of(fault.rmError()));
        }
    }
}
