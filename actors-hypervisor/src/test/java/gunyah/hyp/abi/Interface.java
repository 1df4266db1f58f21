package gunyah.hyp.abi;

import gunyah.hyp.ObjectType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** The calls as their documents declare them (Gunyah hyp/interfaces, the .hvc files): what goes in, what comes out. */
final class Interface {
    /**
     * {@code number name | inputs | results}. An input is a capability {@code type+right}, of an ACTIVE object or with
     * ! an INIT one or with ? either, and {@code object} for any type; or reserved, {@code =0} or {@code =1s}; or a
     * value. Results are how many registers follow X0, and what they hold after an error if not 0.
     */
    private static final String CALLS = """
            00 hypervisor_identify | | 3
            01 partition_create_partition | partition+create cspace+create =0 | 1 -1
            02 partition_create_cspace | partition+create cspace+create =0 | 1 -1
            03 partition_create_addrspace | partition+create cspace+create =0 | 1 -1
            04 partition_create_memextent | partition+create cspace+create =0 | 1 -1
            05 partition_create_thread | partition+create cspace+create =0 | 1 -1
            06 partition_create_doorbell | partition+create cspace+create =0 | 1 -1
            07 partition_create_msgqueue | partition+create cspace+create =0 | 1 -1
            0a partition_create_vic | partition+create cspace+create =0 | 1 -1
            0b partition_create_vpm_group | partition+create cspace+create =0 | 1 -1
            0c object_activate | object?+activate =0 | 0
            0d object_activate_from | cspace+create object =0 | 0
            0e object_reset | object =0 | 0
            0f object_reset_from | cspace object =0 | 0
            10 doorbell_bind_virq | doorbell+bind vic+bind_source virq =0 | 0
            11 doorbell_unbind_virq | doorbell+bind =0 | 0
            12 doorbell_send | doorbell+send flags =0 | 1
            13 doorbell_receive | doorbell+receive flags =0 | 1
            14 doorbell_reset | doorbell+receive =0 | 0
            15 doorbell_mask | doorbell+receive enable ack =0 | 0
            17 msgqueue_bind_send_virq | msgqueue+bind_send vic+bind_source virq =0 | 0
            18 msgqueue_bind_receive_virq | msgqueue+bind_receive vic+bind_source virq =0 | 0
            19 msgqueue_unbind_send_virq | msgqueue+bind_send =0 | 0
            1a msgqueue_unbind_receive_virq | msgqueue+bind_receive =0 | 0
            1b msgqueue_send | msgqueue+send size data flags =0 | 1
            1c msgqueue_receive | msgqueue+receive buffer size =0 | 2
            1d msgqueue_flush | msgqueue+receive =0 | 0
            1f msgqueue_configure_send | msgqueue+send threshold delay =1s | 0
            20 msgqueue_configure_receive | msgqueue+receive threshold delay =1s | 0
            21 msgqueue_configure | msgqueue!+activate info =0 | 0
            22 cspace_delete_cap_from | cspace+delete cap =0 | 0
            23 cspace_copy_cap_from | cspace+copy cap cspace+create mask =0 | 1 -1
            24 cspace_revoke_cap_from | cspace cap =0 | 0
            25 cspace_configure | cspace!+activate caps =0 | 0
            26 hwirq_bind_virq | hwirq+bind_vic vic+bind_source virq =0 | 0
            27 hwirq_unbind_virq | hwirq+bind_vic =0 | 0
            28 vic_configure | vic!+activate vcpus virqs options msis | 0
            29 vic_attach_vcpu | vic+attach_vcpu thread!+activate index =0 | 0
            2a addrspace_attach_thread | addrspace+attach thread!+activate =0 | 0
            2b addrspace_map | addrspace+map memextent+map vbase attrs flags offset size | 0
            2c addrspace_unmap | addrspace+map memextent+map vbase flags offset size | 0
            2d addrspace_update_access | addrspace+map memextent+map vbase attrs flags offset size | 0
            2e addrspace_configure | addrspace!+activate vmid =0 | 0
            2f addrspace_attach_vdma | addrspace+attach device index =0 | 0
            30 memextent_modify | memextent+map flags offset size | 0
            31 memextent_configure | memextent!+activate base size attrs =0 | 0
            32 memextent_configure_derive | memextent!+activate memextent+derive offset size attrs =0 | 0
            34 vcpu_configure | thread!+activate options =0 | 0
            38 vcpu_poweron | thread+power entry context flags | 0
            39 vcpu_poweroff | thread+power flags | 0
            3a vcpu_kill | thread?+lifecycle =0 | 0
            3b scheduler_yield | control target =0 | 0
            3c vpm_group_attach_vcpu | vpm_group+attach_vcpu thread!+activate index =0 | 0
            3d vcpu_set_affinity | thread?+affinity cpu =1s | 0
            3e cspace_attach_thread | cspace+attach thread!+activate =0 | 0
            3f trace_update_class_flags | set clear =0 | 1
            43 vpm_group_bind_virq | vpm_group+bind_virq vic+bind_source virq =0 | 0
            44 vpm_group_unbind_virq | vpm_group+bind_virq =0 | 0
            45 vpm_group_get_state | vpm_group+query =0 | 1
            46 vcpu_set_priority | thread!+priority priority | 0
            47 vcpu_set_timeslice | thread!+timeslice ns | 0
            48 partition_create_virtio_mmio | partition+create cspace+create =0 | 1 -1
            49 virtio_mmio_configure | virtio_mmio!+activate memextent+attach vqs_num flags type | 0
            4a virtio_mmio_backend_bind_virq | virtio_mmio+bind_backend vic+bind_source virq =0 | 0
            4b virtio_mmio_backend_unbind_virq | virtio_mmio+bind_backend =0 | 0
            4c virtio_mmio_frontend_bind_virq | virtio_mmio+bind_frontend vic+bind_source virq =0 | 0
            4d virtio_mmio_frontend_unbind_virq | virtio_mmio+bind_frontend =0 | 0
            4e virtio_mmio_backend_assert_virq | virtio_mmio+assert status =0 | 0
            4f virtio_mmio_backend_set_dev_features | virtio_mmio+config sel features =0 | 0
            50 virtio_mmio_backend_set_queue_num_max | virtio_mmio+config sel max =0 | 0
            51 virtio_mmio_backend_get_drv_features | virtio_mmio+config sel =0 | 1
            52 virtio_mmio_backend_get_queue_info | virtio_mmio+config sel =0 | 5
            53 virtio_mmio_backend_get_notification | virtio_mmio+config =0 | 2
            54 virtio_mmio_backend_acknowledge_reset | virtio_mmio+config =0 | 0
            55 virtio_mmio_backend_update_status | virtio_mmio+config status =0 | 0
            56 vic_bind_msi_source | vic+bind_source source =0 | 0
            57 prng_get_entropy | bytes =0 | 4
            59 cspace_revoke_caps_from | cspace+revoke cap =0 | 0
            5a addrspace_lookup | addrspace+lookup memextent+lookup vbase size =0 | 3
            5b addrspace_configure_info_area | addrspace!+activate memextent+attach ipa =0 | 0
            5c vcpu_bind_virq | thread+bind_virq vic+bind_source virq type =0 | 0
            5d vcpu_unbind_virq | thread+bind_virq type =0 | 0
            5e virtio_input_configure | virtio_mmio+config devids prop_bits evtypes absaxes =0 | 0
            5f virtio_input_set_data | virtio_mmio+config sel subsel size data =0 | 0
            60 addrspace_configure_vmmio | addrspace?+add_range vbase size op =0 | 0
            61 memextent_donate | options memextent+donate memextent+donate offset size =0 | 0
            62 addrspace_attach_vdevice | addrspace+map vic+attach_vdevice index vbase size flags | 0
            64 vcpu_register_write | thread?+write_context set index value =0 | 0
            65 vcpu_run | thread+affinity+yield_to r0 r1 r2 =0 | 4
            66 vpm_group_configure | vpm_group!+activate flags =0 | 0
            67 vgic_set_mpidr_mapping | vic!+activate mask s0 s1 s2 s3 mt | 0
            68 vcpu_run_check | thread+bind_virq+state =0 | 4
            69 addrspace_modify_pages | addrspace+modify_protected vbase size flags | 1
            """;

    /** The rights of each type from bit 0 on (Gunyah API document, "Object Rights"); {@code activate} is bit 31. */
    private static final String RIGHTS = """
            partition create donate query
            cspace create delete copy attach revoke
            addrspace attach map lookup add_range map_protected modify_protected add_info
            memextent map derive attach lookup donate protected_host protected_guest map_private
            thread power affinity priority timeslice yield_to bind_virq state lifecycle write_context disable
            doorbell send receive bind
            msgqueue send receive bind_send bind_receive
            vic bind_source attach_vcpu attach_vdevice
            hwirq - bind_vic
            vpm_group attach_vcpu bind_virq query
            virtio_mmio bind_backend bind_frontend assert config
            """;

    enum Kind { CAPABILITY, ZERO, ONES, VALUE }

    /** In which state the object of a capability must be. */
    enum Wanted { ACTIVE, INIT, EITHER }

    /**
     * One input.
     *
     * @param type   of the object, null for any
     * @param rights bits that the capability must have
     */
    record Input(String name, Kind kind, ObjectType type, long rights, Wanted state) {
        boolean reserved() {
            return kind == Kind.ZERO || kind == Kind.ONES;
        }
    }

    /** One call; {@code failing} is in its result registers after an error. */
    record Call(int number, String name, List<Input> inputs, int results, long failing) {
        @Override
        public String toString() {
            return "%s (0x%02x)".formatted(name, number);
        }
    }

    private static final Map<Integer, Call> TABLE = new TreeMap<>();

    static {
        CALLS.lines().map(Interface::call).forEach(call -> TABLE.put(call.number(), call));
    }

    private Interface() {
    }

    static Call call(int number) {
        Call call = TABLE.get(number);
        if (call == null) {
            throw new IllegalArgumentException("no call 0x%x".formatted(number));
        }
        return call;
    }

    static Map<Integer, Call> calls() {
        return TABLE;
    }

    private static Call call(String line) {
        String[] parts = line.split("\\|");
        String[] head = parts[0].trim().split(" ");
        List<Input> inputs = new ArrayList<>();
        Arrays.stream(parts[1].trim().split(" ")).filter(word -> !word.isEmpty())
                .forEach(word -> inputs.add(input(word)));
        String[] results = parts[2].trim().split(" ");
        return new Call(Integer.parseInt(head[0], 16), head[1], inputs, Integer.parseInt(results[0]),
                results.length > 1 ? Long.parseLong(results[1]) : 0);
    }

    private static Input input(String word) {
        if (word.startsWith("=")) {
            return new Input(word, word.equals("=0") ? Kind.ZERO : Kind.ONES, null, 0, Wanted.EITHER);
        }
        if (word.indexOf('+') < 0) {
            return new Input(word, Kind.VALUE, null, 0, Wanted.EITHER);
        }
        String[] parts = word.split("\\+");
        String name = parts[0].replaceAll("[!?]", "");
        Wanted state = parts[0].endsWith("!") ? Wanted.INIT : parts[0].endsWith("?") ? Wanted.EITHER : Wanted.ACTIVE;
        long rights = 0;
        for (int i = 1; i < parts.length; i++) {
            rights |= right(name, parts[i]);
        }
        ObjectType type = name.equals("object") ? null : ObjectType.valueOf(name.toUpperCase(Locale.ROOT));
        return new Input(name, Kind.CAPABILITY, type, rights, state);
    }

    /** {@return the bit of a right} */
    static long right(String type, String right) {
        if (right.equals("activate")) {
            return 1L << 31;
        }
        List<String> rights = RIGHTS.lines().map(line -> List.of(line.split(" ")))
                .filter(words -> words.getFirst().equals(type)).findFirst().orElseThrow();
        int index = rights.indexOf(right);
        if (index < 1) {
            throw new IllegalArgumentException("%s has no right %s".formatted(type, right));
        }
        return 1L << index - 1;
    }
}
