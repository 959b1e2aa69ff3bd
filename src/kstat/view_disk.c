/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_disk.c - the block devices that the partition sees, with its own reads and writes, in /proc and as directories
 * of sysfs; and the tables that a partition has nothing in.
 *
 * Sizes and times that the kernel doesn't keep for each cgroup are 0: merged requests, milliseconds.
 */
#include "base/cleanup.h"
#include "kstat/view_private.h"

#define BLOCK_SECTORS (1024 / VIEW_SECTOR)

/* The eleven, four and two columns of diskstats and of "stat" in sysfs. */
static void put_stat(const struct view_shown *d, struct text *t)
{
        static const struct kstat_sample_disk nothing;
        const struct kstat_sample_disk *used = d->used ? d->used : &nothing;

        text_number(t, used->reads, 0);
        text_str(t, " 0");
        text_next(t, used->read_bytes / VIEW_SECTOR);
        text_str(t, " 0");
        text_next(t, used->writes);
        text_str(t, " 0");
        text_next(t, used->written_bytes / VIEW_SECTOR);
        text_str(t, " 0 0 0 0 0 0 0 0 0 0\n");
}

static void put_name(const struct view_shown *d, struct text *t)
{
        char name[VIEW_NAME_SIZE];

        view_shown_name(d, name, sizeof(name));
        text_str(t, name);
}

int view_diskstats(struct view *v, struct text *t)
{
        for (uint32_t i = 0; i < v->n_shown; i++) {
                if (!v->shown[i].used)
                        continue;
                text_number(t, v->shown[i].major, 4);
                text_number(t, v->shown[i].minor, 8);
                text_char(t, ' ');
                put_name(&v->shown[i], t);
                text_char(t, ' ');
                put_stat(&v->shown[i], t);
        }
        return 0;
}

/* The same set as in sysfs, but for those of no size. */
int view_partitions(struct view *v, struct text *t)
{
        text_str(t, "major minor  #blocks  name\n\n");
        for (uint32_t i = 0; i < v->n_shown; i++) {
                const struct view_shown *d = &v->shown[i];

                if (!view_shown_sectors(d))
                        continue;
                text_number(t, d->major, 4);
                text_number(t, d->minor, 9);
                text_number(t, view_shown_sectors(d) / BLOCK_SECTORS, 11);
                text_char(t, ' ');
                put_name(d, t);
                text_char(t, '\n');
        }
        return 0;
}

/* --- devices: what every partition has, and the drivers of its disks --- */

static void put_driver(struct text *t, uint32_t major, const char *name, size_t size)
{
        text_number(t, major, 3);
        text_char(t, ' ');
        text_put(t, name, size);
        text_char(t, '\n');
}

int view_devices(struct view *v, struct text *t)
{
        text_str(t, "Character devices:\n  1 mem\n  4 tty\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n 10 misc\n"
                    "128 ptm\n136 pts\n\nBlock devices:\n");
        for (uint32_t i = 0; i < v->n_shown; i++) {
                const struct view_shown *d = &v->shown[i];
                bool again = false;

                for (uint32_t k = 0; k < i; k++)
                        again = again || v->shown[k].major == d->major;
                if (again)
                        continue;
                if (view_shown_is_loop(d))
                        put_driver(t, d->major, "loop", 4);
                else if (d->known)
                        put_driver(t, d->major, d->known->driver.text, d->known->driver.size);
        }
        return 0;
}

/* --- sysfs --- */

static void put_line(struct text *t, uint64_t number)
{
        text_number(t, number, 0);
        text_char(t, '\n');
}

static void put_dev(const struct view_shown *d, struct text *t)
{
        text_number(t, d->major, 0);
        text_char(t, ':');
        put_line(t, d->minor);
}

/* As a path below /dev: where sysfs can't have a slash in a name it has this. */
static void put_node(const struct view_shown *d, struct text *t)
{
        char name[VIEW_NAME_SIZE];

        view_shown_name(d, name, sizeof(name));
        for (char *at = name; *at; at++)
                if (*at == '!')
                        *at = '/';
        text_str(t, name);
}

/* Without DISKSEQ: it counts all devices of the machine. */
static bool is_part(const struct view_shown *d)
{
        return view_shown_part(d) != 0;
}

static void put_uevent(const struct view_shown *d, struct text *t)
{
        text_str(t, "MAJOR=");
        text_number(t, d->major, 0);
        text_str(t, "\nMINOR=");
        text_number(t, d->minor, 0);
        text_str(t, "\nDEVNAME=");
        put_node(d, t);
        text_str(t, is_part(d) ? "\nDEVTYPE=partition\nPARTN=" : "\nDEVTYPE=disk\n");
        if (is_part(d))
                put_line(t, view_shown_part(d));
}

static void put_size(const struct view_shown *d, struct text *t)
{
        put_line(t, view_shown_sectors(d));
}

static void put_inflight(const struct view_shown *d, struct text *t)
{
        (void)d;
        text_str(t, "       0        0\n");
}

static void put_zero(const struct view_shown *d, struct text *t)
{
        (void)d;
        text_str(t, "0\n");
}

/* Numbers beside its own that its partitions have: none. */
static void put_range(const struct view_shown *d, struct text *t)
{
        (void)d;
        text_str(t, "1\n");
}

/* How many there can be; of what isn't a loop device they aren't the partition's. */
static void put_ext_range(const struct view_shown *d, struct text *t)
{
        text_str(t, view_shown_is_loop(d) ? "256\n" : "1\n");
}

static void put_part(const struct view_shown *d, struct text *t)
{
        put_line(t, view_shown_part(d));
}

static void put_start(const struct view_shown *d, struct text *t)
{
        put_line(t, d->own->offset / VIEW_SECTOR);
}

static uint64_t flag_of(const struct view_shown *d, uint32_t flag)
{
        return d->own && d->own->flags & flag;
}

static void put_read_only(const struct view_shown *d, struct text *t)
{
        put_line(t, flag_of(d, VIEW_DISK_READ_ONLY));
}

static void put_rotational(const struct view_shown *d, struct text *t)
{
        put_line(t, flag_of(d, VIEW_DISK_ROTATIONAL) || (d->known && d->known->rotational));
}

static uint32_t logical_bytes(const struct view_shown *d)
{
        uint32_t bytes = d->own ? d->own->logical_bytes : d->known ? d->known->sector_bytes : 0;

        return bytes ? bytes : VIEW_SECTOR;
}

static uint32_t physical_bytes(const struct view_shown *d)
{
        return d->own && d->own->physical_bytes ? d->own->physical_bytes : logical_bytes(d);
}

static void put_logical(const struct view_shown *d, struct text *t)
{
        put_line(t, logical_bytes(d));
}

static void put_physical(const struct view_shown *d, struct text *t)
{
        put_line(t, physical_bytes(d));
}

/* From here on: of its own only, see struct file. */
static void put_minimum_io(const struct view_shown *d, struct text *t)
{
        put_line(t, d->own->minimum_io_bytes ? d->own->minimum_io_bytes : physical_bytes(d));
}

static void put_optimal_io(const struct view_shown *d, struct text *t)
{
        put_line(t, d->own->optimal_io_bytes);
}

static void put_read_ahead(const struct view_shown *d, struct text *t)
{
        put_line(t, d->own->read_ahead_kib);
}

static void put_discard(const struct view_shown *d, struct text *t)
{
        put_line(t, d->own->discard_bytes);
}

static void put_discard_max(const struct view_shown *d, struct text *t)
{
        put_line(t, d->own->discard_bytes ? d->own->discard_max_bytes : 0);
}

static void put_scheduler(const struct view_shown *d, struct text *t)
{
        (void)d;
        text_str(t, "[none]\n"); /* whose requests are scheduled where the file is */
}

static void put_zoned(const struct view_shown *d, struct text *t)
{
        (void)d;
        text_str(t, "none\n");
}

/* As the kernel: the path as it is, whatever bytes are in it. */
static void put_file(const struct view_shown *d, struct text *t)
{
        text_str(t, d->own->file);
        text_char(t, '\n');
}

static void put_offset(const struct view_shown *d, struct text *t)
{
        put_line(t, d->own->offset);
}

static void put_sizelimit(const struct view_shown *d, struct text *t)
{
        put_line(t, d->own->sizelimit);
}

static void put_autoclear(const struct view_shown *d, struct text *t)
{
        put_line(t, flag_of(d, VIEW_DISK_AUTOCLEAR));
}

static void put_partscan(const struct view_shown *d, struct text *t)
{
        put_line(t, flag_of(d, VIEW_DISK_PARTSCAN));
}

static void put_direct(const struct view_shown *d, struct text *t)
{
        put_line(t, flag_of(d, VIEW_DISK_DIRECT));
}

/* Numbers of files are told to the kernel: append only. */
static const struct file {
        const char *directory, *name;
        bool own; /* of the machine's it isn't known */
        void (*put)(const struct view_shown *d, struct text *t);
} files[] = {
        {"", "dev", false, put_dev},
        {"", "uevent", false, put_uevent},
        {"", "size", false, put_size},
        {"", "stat", false, put_stat},
        {"", "inflight", false, put_inflight},
        {"", "ro", false, put_read_only},
        {"", "removable", false, put_zero},
        {"", "hidden", true, put_zero},
        {"", "range", true, put_range},
        {"", "ext_range", true, put_ext_range},
        {"", "alignment_offset", true, put_zero},
        {"", "discard_alignment", true, put_zero},
        {"", "capability", true, put_zero},
        {"queue", "rotational", false, put_rotational},
        {"queue", "logical_block_size", false, put_logical},
        {"queue", "physical_block_size", false, put_physical},
        {"queue", "hw_sector_size", false, put_logical},
        {"queue", "minimum_io_size", true, put_minimum_io},
        {"queue", "optimal_io_size", true, put_optimal_io},
        {"queue", "read_ahead_kb", true, put_read_ahead},
        {"queue", "discard_granularity", true, put_discard},
        {"queue", "discard_max_bytes", true, put_discard_max},
        {"queue", "discard_max_hw_bytes", true, put_discard_max},
        {"queue", "discard_zeroes_data", true, put_zero},
        {"queue", "write_same_max_bytes", true, put_zero},
        {"queue", "chunk_sectors", true, put_zero},
        {"queue", "dax", true, put_zero},
        {"queue", "scheduler", true, put_scheduler},
        {"queue", "zoned", true, put_zoned},
        {"loop", "backing_file", true, put_file},
        {"loop", "offset", true, put_offset},
        {"loop", "sizelimit", true, put_sizelimit},
        {"loop", "autoclear", true, put_autoclear},
        {"loop", "partscan", true, put_partscan},
        {"loop", "dio", true, put_direct},
        {"part", "dev", true, put_dev},
        {"part", "uevent", true, put_uevent},
        {"part", "partition", true, put_part},
        {"part", "start", true, put_start},
        {"part", "size", true, put_size},
        {"part", "stat", true, put_stat},
        {"part", "inflight", true, put_inflight},
        {"part", "ro", true, put_read_only},
        {"part", "alignment_offset", true, put_zero},
        {"part", "discard_alignment", true, put_zero},
};

bool view_disk_has_file(const struct view_shown *d, const char *directory, size_t file)
{
        return file < ELEMENTS(files) && strcmp(files[file].directory, directory) == 0 && (!files[file].own || d->own);
}

int view_disk_file(const struct view_shown *d, const char *directory, size_t k, const char **ret_name)
{
        for (size_t i = 0; i < ELEMENTS(files); i++)
                if (view_disk_has_file(d, directory, i) && k-- == 0) {
                        *ret_name = files[i].name;
                        return (int)i;
                }
        return -1;
}

void view_disk_put(const struct view_shown *d, size_t file, struct text *t)
{
        files[file].put(d, t);
}
