/* SPDX-License-Identifier: GPL-2.0
 *
 * croft_swap.c - a module of the guest's kernel in two kinds, "swap" and "evil", for the test that one never takes the
 * other's place (KID-A4).  Each has a file system of its kind's name, by which a partition tells which one there is,
 * and the evil one says in the kernel's log that it ran.
 *
 * Invariant: both kinds have one internal name, the same code, and files of one size.
 */
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/module.h>

static const volatile char kind[] = KIND; /* volatile, or what the compiler knows of it would change the code */

static int nobody_mounts(struct fs_context *context)
{
        return -EOPNOTSUPP;
}

static struct file_system_type type = {.owner = THIS_MODULE, .name = "croft_" KIND, .init_fs_context = nobody_mounts};

static int __init croft_swap_init(void)
{
        if (kind[0] == 'e')
                pr_info("croft_swap: the evil one runs\n");
        return register_filesystem(&type);
}

static void __exit croft_swap_exit(void)
{
        unregister_filesystem(&type);
}

module_init(croft_swap_init);
module_exit(croft_swap_exit);
MODULE_LICENSE("GPL");
