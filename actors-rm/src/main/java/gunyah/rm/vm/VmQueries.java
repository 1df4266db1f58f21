package gunyah.rm.vm;

import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import gunyah.rm.rpc.WireWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Predicate;

/** Requests that ask or tell about VMs and change no state of the graph (vm_mgnt.c, vm_get_resources.c). */
public final class VmQueries {
    private static final int HOST_TYPE = 0x0100_0164;
    private static final int MAX_OS_STATE = 7;
    private static final int MAX_NAME = 79;
    private static final int MAX_CRASH_MESSAGE = 192;
    private static final int ID_GUID = 0;
    private static final int ID_URI = 1;
    private static final int ID_NAME = 2;
    private static final int ID_SIGNER = 3;

    private final VmTable vms;
    private final Notices notices;

    public VmQueries(VmTable vms, Notices notices) {
        this.vms = vms;
        this.notices = notices;
    }

    /** VM_GET_VMID. */
    public Reply vmid(Vm caller, byte[] payload) {
        WireReader.exactly(payload, 0);
        return Reply.ofWord(caller.vmid);
    }

    /** VM_GET_OWNER. */
    public Reply owner(Vm caller, byte[] payload) {
        WireReader.exactly(payload, 0);
        return Reply.ofWord(caller.ownerVmid);
    }

    /** VM_GET_PEERS. */
    public Reply peers(Vm caller, byte[] payload) {
        WireReader.exactly(payload, 0);
        return vmids(vm -> vm.vmid == caller.ownerVmid);
    }

    /** VM_HOST_GET_TYPE. */
    public Reply hostType(byte[] payload) {
        WireReader.exactly(payload, 0);
        return Reply.ofWord(HOST_TYPE);
    }

    /** VM_GET_STATE. */
    public Reply state(Vm caller, byte[] payload) {
        Vm vm = target(caller, VmRequest.decode(payload).vmid());
        if (!mayQuery(caller, vm)) {
            throw new RmFault(RmError.DENIED);
        }
        return Reply.ofWord(vm.state.value() | vm.osState << 8 | vm.appStatus << 16);
    }

    /** VM_SET_STATUS. Open to every VM, not only to those of a static VMID. */
    public Reply setStatus(Vm caller, byte[] payload) {
        WireReader reader = WireReader.exactly(payload, 4).skip(1);
        int osState = reader.u8();
        int appStatus = reader.u16();
        if (osState > MAX_OS_STATE) {
            throw new RmFault(RmError.ARGUMENT_INVALID);
        }
        caller.osState = osState == 0 ? caller.osState : osState;
        caller.appStatus = appStatus;
        notices.status(caller);
        return Reply.of(RmError.OK);
    }

    /** VM_SET_CRASH_MSG. */
    public Reply setCrashMessage(Vm caller, byte[] payload) {
        byte[] text = paddedText(payload);
        caller.crashMessage = Arrays.copyOf(text, Math.min(text.length, MAX_CRASH_MESSAGE));
        return Reply.of(RmError.OK);
    }

    /** VM_GET_CRASH_MSG. */
    public Reply crashMessage(Vm caller, byte[] payload) {
        Vm vm = vms.find(VmRequest.decode(payload).vmid(), RmError.VMID_INVALID);
        if (vm.ownerVmid != caller.vmid) {
            throw new RmFault(RmError.VMID_INVALID);
        }
        return Reply.of(new WireWriter().u16(vm.crashMessage.length).u16(0).bytes(vm.crashMessage).align().toBytes());
    }

    /** VM_GET_ID. */
    public Reply id(Vm caller, byte[] payload) {
        Vm vm = target(caller, VmRequest.decode(payload).vmid());
        if (!mayQuery(caller, vm)) {
            throw new RmFault(RmError.NORESOURCE);
        }
        vm.require(VmState.READY, VmState.RUNNING, VmState.PAUSED);
        byte[] guid = vm.config.flatMap(c -> c.guid()).map(VmQueries::guidBytes).orElse(new byte[16]);
        List<byte[]> names = vm.config.stream().map(c -> bytes(c.name())).toList();
        List<byte[]> uris = vm.config.flatMap(c -> c.uri()).stream().map(VmQueries::bytes).toList();
        WireWriter writer = new WireWriter().u32(2 + names.size() + uris.size());
        entry(writer, ID_GUID, guid);
        names.forEach(name -> entry(writer, ID_NAME, name));
        uris.forEach(uri -> entry(writer, ID_URI, uri));
        entry(writer, ID_SIGNER, new byte[0]);
        return Reply.of(writer.toBytes());
    }

    private static void entry(WireWriter writer, int type, byte[] value) {
        writer.u8(type).u8(0).u16(value.length).bytes(value).align();
    }

    /** VM_LOOKUP_NAME. */
    public Reply lookupName(Vm caller, byte[] payload) {
        String name = name(payload);
        return vmids(vm -> mayQuery(caller, vm) && vm.config.filter(c -> c.name().equals(name)).isPresent());
    }

    /** VM_LOOKUP_URI. */
    public Reply lookupUri(Vm caller, byte[] payload) {
        String uri = name(payload);
        return vmids(vm -> mayQuery(caller, vm) && vm.config.flatMap(c -> c.uri()).filter(uri::equals).isPresent());
    }

    /** VM_LOOKUP_GUID. */
    public Reply lookupGuid(Vm caller, byte[] payload) {
        byte[] guid = WireReader.exactly(payload, 16).bytes(16);
        return vmids(vm -> mayQuery(caller, vm)
                && vm.config.flatMap(c -> c.guid()).filter(g -> Arrays.equals(guidBytes(g), guid)).isPresent());
    }

    private static String name(byte[] payload) {
        byte[] text = paddedText(payload);
        if (text.length > MAX_NAME) {
            throw new RmFault(RmError.ARGUMENT_INVALID);
        }
        return new String(text, StandardCharsets.UTF_8);
    }

    private static byte[] paddedText(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 4);
        int length = reader.u16();
        byte[] text = reader.skip(2).bytes(length);
        byte[] padding = reader.bytes(reader.remaining());
        for (byte b : padding) {
            if (b != 0 || padding.length > 3) {
                throw new RmFault(RmError.MSG_INVALID);
            }
        }
        return text;
    }

    private static byte[] guidBytes(String guid) {
        return HexFormat.of().parseHex(guid.replace("-", ""));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private Reply vmids(Predicate<Vm> wanted) {
        List<Integer> found = vms.all().stream().filter(wanted).map(vm -> vm.vmid).toList();
        WireWriter writer = new WireWriter().u32(found.size());
        found.forEach(writer::u32);
        return Reply.of(writer.toBytes());
    }

    /**
     * VM_GET_HYP_RESOURCES: capabilities in the caller's cspace. Devices are shown to the VM at their other end only,
     * vCPUs and memory to the owner only.
     */
    public Reply resources(Vm caller, byte[] payload) {
        Vm vm = vms.find(VmRequest.decode(payload).vmid(), RmError.ARGUMENT_INVALID);
        if (vm.vmid == Vm.RM && caller.vmid == Vm.HLOS) {
            return Reply.of(HypResource.encode(
                    List.of(HypResource.of(ResourceType.VCPU, 0, 0, caller.rootVcpuCap, 0))));
        }
        GuestObjects objects = vm.objects.orElseThrow(() -> new RmFault(RmError.NORESOURCE));
        List<HypResource> visible = vm.ownerVmid == caller.vmid ? objects.resources() : List.of();
        return Reply.of(HypResource.encode(visible.subList(0, Math.min(visible.size(), HypResource.MAX_ENTRIES))));
    }

    private Vm target(Vm caller, int vmid) {
        return vmid == 0 ? caller : vms.find(vmid, RmError.NORESOURCE);
    }

    private static boolean mayQuery(Vm caller, Vm vm) {
        return caller.vmid == vm.vmid || caller.vmid == vm.ownerVmid || vm.vmid == caller.ownerVmid;
    }
}
