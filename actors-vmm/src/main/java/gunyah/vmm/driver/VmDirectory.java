package gunyah.vmm.driver;

import akka.actor.typed.ActorRef;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which VM a Resource Manager notification is for. A VM is listed from VM_ALLOC_VMID's answer until just before
 * VM_DEALLOC_VMID, so a late notification never reaches the next owner of the VMID. Thread safe.
 */
final class VmDirectory implements RmTransport.Notifications {
    private static final Logger LOG = LoggerFactory.getLogger(VmDirectory.class);

    private final Map<Integer, ActorRef<VmActor.Command>> vms = new ConcurrentHashMap<>();

    void register(int vmid, ActorRef<VmActor.Command> vm) {
        vms.put(vmid, vm);
    }

    void unregister(int vmid) {
        vms.remove(vmid);
    }

    @Override
    public void notified(int messageId, byte[] payload) {
        try {
            if (messageId == MessageId.VM_EXITED.id()) {
                ExitInfo.Notification exited = ExitInfo.Notification.decode(payload);
                tell(exited.vmid(), new VmActor.Exited(exited.info()));
            } else if (messageId == MessageId.VM_STATUS.id()) {
                WireReader reader = WireReader.atLeast(payload, 8);
                int vmid = reader.u16();
                if (VmState.of(reader.skip(2).u8()) == VmState.RESET) {
                    tell(vmid, VmActor.ResetDone.INSTANCE);
                }
            }
        } catch (RmFault e) {
            LOG.warn("notification 0x{} of {} bytes dropped: {}", Integer.toHexString(messageId), payload.length,
                    RmError.MSG_INVALID);
        }
    }

    private void tell(int vmid, VmActor.Command command) {
        ActorRef<VmActor.Command> vm = vms.get(vmid);
        if (vm != null) {
            vm.tell(command);
        }
    }
}
