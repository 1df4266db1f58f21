package gunyah.rm.vm;

import gunyah.rm.dt.GuestConfig;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.GuidRequest;
import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.Nothing;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.StatusUpdate;
import gunyah.rm.rpc.TextRequest;
import gunyah.rm.rpc.TimeBase;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.WireWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Predicate;

/** Requests that ask or tell about VMs and change no state of the graph (vm_mgnt.c, vm_get_resources.c). */
public final class VmQueries {
    private static final int HOST_TYPE = 0x0100_0164;
    private static final int MAX_NAME = 79;
    private static final int MAX_CRASH_MESSAGE = 192;
    private static final int ID_GUID = 0;
    private static final int ID_URI = 1;
    private static final int ID_NAME = 2;
    private static final int ID_SIGNER = 3;

    private final Root root;
    private final VmTable vms;
    private final Notices notices;
    private final Vdevices vdevices;

    public VmQueries(Root root, VmTable vms, Notices notices, Vdevices vdevices) {
        this.root = root;
        this.vms = vms;
        this.notices = notices;
        this.vdevices = vdevices;
    }

    /** VM_GET_VMID. */
    public Reply vmid(Call<Nothing> call) {
        return Reply.ofWord(call.caller().vmid);
    }

    /** VM_GET_OWNER. */
    public Reply owner(Call<Nothing> call) {
        return Reply.ofWord(call.caller().ownerVmid);
    }

    /** VM_GET_PEERS. */
    public Reply peers(Call<Nothing> call) {
        return vmids(vm -> call.caller().peers.contains(vm.vmid));
    }

    /** VM_HOST_GET_TYPE. */
    public Reply hostType(Call<Nothing> call) {
        return Reply.ofWord(HOST_TYPE);
    }

    /** VM_GET_STATE. */
    public Reply state(Call<VmRequest> call) {
        Vm vm = call.target();
        return Reply.ofWord(vm.state.value() | vm.osState << 8 | vm.appStatus << 16);
    }

    /** VM_SET_STATUS. In the strict profile only of VMs with a static VMID. */
    public Reply setStatus(Call<StatusUpdate> call) {
        StatusUpdate update = call.request();
        Vm vm = call.caller();
        if (!root.profile().statusOfAll() && vm.vmid >= Vm.END_STATIC) {
            throw new RmFault(RmError.DENIED);
        }
        if (update.osState() > StatusUpdate.MAX_OS_STATE) {
            throw new RmFault(RmError.ARGUMENT_INVALID);
        }
        vm.osState = update.osState() == 0 ? vm.osState : update.osState();
        vm.appStatus = update.appStatus();
        notices.status(vm);
        return Reply.of(RmError.OK);
    }

    /** VM_SET_CRASH_MSG. */
    public Reply setCrashMessage(Call<TextRequest> call) {
        byte[] text = call.request().text();
        call.caller().crashMessage = Arrays.copyOf(text, Math.min(text.length, MAX_CRASH_MESSAGE));
        return Reply.of(RmError.OK);
    }

    /** VM_GET_CRASH_MSG. */
    public Reply crashMessage(Call<VmRequest> call) {
        byte[] text = call.target().crashMessage;
        return Reply.of(new WireWriter().u16(text.length).u16(0).bytes(text).align().toBytes());
    }

    /** VM_SET_TIME_BASE: no VM has a real-time clock of the hypervisor's, as on the original's QEMU platform. */
    public Reply setTimeBase(Call<TimeBase> call) {
        throw new RmFault(RmError.ARGUMENT_INVALID);
    }

    /** VM_GET_ID. */
    public Reply id(Call<VmRequest> call) {
        Vm vm = call.target();
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
    public Reply lookupName(Call<TextRequest> call) {
        String name = name(call.request());
        return lookup(call.caller(), config -> config.name().equals(name));
    }

    /** VM_LOOKUP_URI. */
    public Reply lookupUri(Call<TextRequest> call) {
        String uri = name(call.request());
        return lookup(call.caller(), config -> config.uri().filter(uri::equals).isPresent());
    }

    /** VM_LOOKUP_GUID. */
    public Reply lookupGuid(Call<GuidRequest> call) {
        byte[] guid = call.request().guid();
        return lookup(call.caller(), config -> config.guid().filter(g -> Arrays.equals(guidBytes(g), guid)).isPresent());
    }

    private Reply lookup(Vm caller, Predicate<GuestConfig> wanted) {
        return vmids(vm -> vm.isKnownTo(caller) && vm.config.filter(wanted).isPresent());
    }

    private static String name(TextRequest request) {
        if (request.text().length > MAX_NAME) {
            throw new RmFault(RmError.ARGUMENT_INVALID);
        }
        return new String(request.text(), StandardCharsets.UTF_8);
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
    public Reply resources(Call<VmRequest> call) {
        Vm caller = call.caller();
        Vm vm = vms.find(call.request().vmid(), RmError.ARGUMENT_INVALID);
        if (vm.vmid == Vm.RM && caller.vmid == Vm.HLOS) {
            return Reply.of(HypResource.encode(
                    List.of(HypResource.of(ResourceType.VCPU, 0, 0, caller.rootVcpuCap, 0))));
        }
        if (vm.objects.isEmpty() && vm.vmid != Vm.HLOS) {
            throw new RmFault(RmError.NORESOURCE);
        }
        List<HypResource> visible = new ArrayList<>(vdevices.resources(caller, vm));
        if (vm.ownerVmid == caller.vmid) {
            vm.objects.ifPresent(objects -> visible.addAll(objects.resources()));
        }
        return Reply.of(HypResource.encode(visible.subList(0, Math.min(visible.size(), HypResource.MAX_ENTRIES))));
    }
}
