#!/bin/sh
# where: here
# The template of native partitions: what of a host comes in, what never does, and that one is made when it is needed.
. "$(dirname "$0")/../lib.sh"

tool=$BUILD/tests/integration/image-tool
state=$T/state
host=$T/host
secret=TOP-SECRET
mkdir "$state"

image() { "$tool" "$state" "$BUILD/croft-image" "$@"; }
native() { image native "$host" "$@" 2>>"$T/error"; }

put() { # PATH MODE [TEXT]: a file of the host
        mkdir -p "$host/$(dirname "$1")"
        printf '%s\n' "${3:-default of $1}" >"$host/$1"
        chmod "$2" "$host/$1"
}

conffile() { # PATH [FILE]: the package database says that PATH was shipped with what FILE (PATH itself) holds now
        echo " /$1 $(md5sum <"$host/${2:-$1}" | cut -d' ' -f1)${3:+ $3}" >>"$T/conffiles"
}

# --- a host with packages, and with secrets wherever one may think of -------------------------------------------------

mkdir -p "$host/usr/bin" "$host/usr/lib" "$host/opt" "$host/proc" "$host/lib64" "$host/var/lib/dpkg/info"
ln -s usr/bin "$host/bin"
ln -s usr/lib "$host/lib"
put usr/lib/os-release 644 'PRETTY_NAME="Fixture 1"'
ln -s ../usr/lib/os-release "$host/etc/os-release" 2>/dev/null || { mkdir -p "$host/etc" && ln -s ../usr/lib/os-release "$host/etc/os-release"; }
put etc/plain.conf 644 && conffile etc/plain.conf
put etc/cron.daily/job 755 && conffile etc/cron.daily/job
put "etc/with blank" 644 && conffile "etc/with blank"
put etc/skel/.profile 644 && conffile etc/skel/.profile
put etc/setuid 4755 && conffile etc/setuid
ln -s /usr/bin/vim "$host/etc/editor"
mkdir "$host/etc/alternatives" && ln -s /usr/bin/vim "$host/etc/alternatives/vi"
ln -s plain.conf "$host/etc/other-name.conf"
put usr/share/base-passwd/passwd.master 644 "root:$secret:0:0:root:/root:/bin/bash
daemon:*:1:1:daemon:/usr/sbin:/usr/sbin/nologin"
put usr/share/base-passwd/group.master 644 "root:*:0:
shadow:*:42:"
put usr/lib/sysusers.d/x.conf 644 'u service - "x"'
put var/lib/dpkg/info/x.postinst 755 'adduser --system --group mailer'
put var/lib/dpkg/info/x.list 644 "/.
/etc
/etc/private
/var
/var/lib
/var/lib/mailer
/var/spool/cron/crontabs/root
/var/mail/root"
put var/lib/dpkg/info/x.md5sums 644

# by the database unmodified, and yet not to be taken
put root/secret 644 "$secret in root's home"
put etc/modified.conf 644 "default" && conffile etc/modified.conf && put etc/modified.conf 644 "password=$secret"
put etc/unreadable.conf 640 "$secret" && conffile etc/unreadable.conf
put etc/sudoers 440 "$secret" && conffile etc/sudoers
put etc/shadow 644 "root:\$y\$$secret:1:0:99999:7:::" && conffile etc/shadow
put etc/ssh/ssh_host_rsa_key 644 "$secret" && conffile etc/ssh/ssh_host_rsa_key
put etc/ssl/private/key.pem 644 "$secret" && conffile etc/ssl/private/key.pem
put etc/krb5.keytab 644 "$secret" && conffile etc/krb5.keytab
put etc/apt/auth.conf 644 "$secret" && conffile etc/apt/auth.conf
put etc/obsolete.conf 644 "$secret" && conffile etc/obsolete.conf etc/obsolete.conf obsolete
ln -s ../root/secret "$host/etc/is-a-link.conf" && conffile etc/is-a-link.conf root/secret
ln -s ../root "$host/etc/linked" && conffile etc/linked/secret root/secret
conffile etc/../root/secret root/secret
conffile root/secret
ln -s "$T/outside" "$host/etc/leaves" && mkdir "$T/outside" && echo $secret >"$T/outside/secret" &&
        echo " /etc/leaves/secret $(md5sum <"$T/outside/secret" | cut -d' ' -f1)" >>"$T/conffiles"
mkfifo "$host/etc/fifo" && echo " /etc/fifo d41d8cd98f00b204e9800998ecf8427e" >>"$T/conffiles"
mkdir -p "$host/etc/is-a-folder" && echo " /etc/is-a-folder d41d8cd98f00b204e9800998ecf8427e" >>"$T/conffiles"
# in no database
for path in etc/gshadow etc/shadow- etc/passwd- etc/machine-id etc/hostname etc/hosts etc/resolv.conf etc/fstab \
        etc/environment etc/nsswitch.conf etc/alternatives/not-a-link var/spool/cron/crontabs/root var/mail/root \
        var/lib/systemd/random-seed var/lib/mailer/token root/.ssh/id_rsa home/alice/.netrc run/secret tmp/secret \
        etc/wireguard/wg0.conf etc/local-notes srv/data var/log/auth.log var/lib/dpkg/info/x.config; do
        put $path 644 "$secret"
done
put etc/passwd 644 "root:$secret:0:0:$secret:/root:/bin/$secret
alice:x:1000:1000:$secret:/home/alice:/bin/bash
mailer:$secret:105:106:$secret:/home/$secret:/bin/bash
service:$secret:301:302:$secret:/$secret:/bin/bash"
put etc/group 644 "mailer:$secret:106:alice,$secret
service:x:302:$secret
alice:x:1000:"
put etc/ssl/certs/ca-certificates.crt 644 "-----BEGIN PRIVATE KEY----- $secret"
put etc/ld.so.cache 600 "$secret"
ln -s /root/secret "$host/etc/to-$secret"
ln -s ../home/$secret "$host/etc/to-home"
ln -s shadow "$host/etc/to-shadow"
ln -s /proc/1/environ "$host/etc/to-proc"
ln -s local-notes "$host/etc/to-notes"
mkdir "$host/etc/private" && ln -s /usr/bin/vim "$host/etc/private/$secret" && chmod 700 "$host/etc/private"
ln -s ../../../root/secret "$host/usr/share/base-files" 2>/dev/null
mkdir -p "$host/usr/share/libc-bin" && ln -s ../../../root/secret "$host/usr/share/libc-bin/nsswitch.conf"
mkdir -p "$host/var/lib/dpkg/alternatives" && ln -s ../../../../root/secret "$host/var/lib/dpkg/alternatives/vi"
ln -s ../../../root/secret "$host/var/lib/dpkg/diversions"
{
        echo "Package: x"
        echo "Conffiles:"
        cat "$T/conffiles"
        echo "Description: y"
} >"$host/var/lib/dpkg/status"
chmod 644 "$host/var/lib/dpkg/status"

t_ok "a template is made" native
id=$(native | cut -f1)
root=$state/images/$id/rootfs
t_is "no file of it holds a secret" "$(grep -rl $secret "$root")" ""
t_is "no name and no link of it does" "$(find "$root" -printf '%P %l\n' | grep -F $secret)" ""
t_is "conffiles as shipped are there, and no others" "$(cd "$root/etc" && ls ./*.conf cron.daily/* with* setuid skel/.profile | sort | tr '\n' ' ')" \
        "$(printf '%s ' ./ld.so.conf ./nsswitch.conf ./other-name.conf ./plain.conf ./resolv.conf cron.daily/job setuid skel/.profile 'with blank')"
t_is "modes come along, set-id bits don't" "$(cd "$root/etc" && stat -c %a cron.daily/job setuid)" "755
755"
t_is "links into /usr are there, others not" "$(cd "$root/etc" && find . -type l -printf '%P -> %l, ')" \
        "$(cd "$root/etc" && find . -type l -printf '%P -> %l, ' | tr ',' '\n' | grep -E 'usr/|plain.conf|proc/self' | tr '\n' ','; echo ' ')"
t_is "accounts are those of masters, sysusers and scripts, with the host's numbers" "$(cat "$root/etc/passwd")" \
        "root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
service:x:301:302:service:/:/usr/sbin/nologin
mailer:x:105:106:mailer:/nonexistent:/usr/sbin/nologin"
t_is "all are locked" "$(cut -d: -f2 "$root/etc/shadow" "$root/etc/gshadow" | sort -u)" '*'
t_is "passwords' files are as they should be" "$(stat -c '%a %g' "$root/etc/shadow" "$root/etc/gshadow" | sort -u)" "640 42"
t_is "the machine's identity is empty" "$(stat -c %s "$root/etc/machine-id")" 0
t_is "folders of packages are there, empty" "$(find "$root/var/lib/mailer" "$root/etc/private" -mindepth 1)$(stat -c %a "$root/etc/private")" 700
t_is "a merged /usr stays one, other folders become mount points" \
        "$(readlink "$root/bin" "$root/lib" | tr '\n' ' ')$(find "$root/lib64" "$root/usr" "$root/opt" | wc -l)" "usr/bin usr/lib 3"
t_is "/tmp is everybody's" "$(stat -c %a "$root/tmp" "$root/var/tmp" | sort -u)" 1777
t_is "the package database came along" "$(cmp "$host/var/lib/dpkg/status" "$root/var/lib/dpkg/status" && ls "$root/var/lib/dpkg/info")" "x.list"
t_is "its system has the host's name" "$(native | cut -f4)" "Fixture 1"

# --- one is made when it is needed ------------------------------------------------------------------------------------

t_is "asked again it is the same" "$(native | cut -f1)" "$id"
touch "$host/var/lib/dpkg/status"
t_is "a database that was only touched makes no other" "$(native | cut -f1)" "$id"
echo >>"$host/var/lib/dpkg/status"
second=$(native | cut -f1)
t_isnt "a changed one does" "$second" "$id"
t_ok "the old template stays while it may be in use" test -d "$root"
echo >>"$host/var/lib/dpkg/status"
t_is "eight that ask at once get one" "$(native 8 | cut -f1 | sort | uniq -c | awk '{ print $1 }')" 8
t_is "and one was made" "$(image list | wc -l)" 3
t_fails_with 5 "a template in use isn't removed" image remove "$id" "$id"
t_ok "templates are pruned" image prune "$id"
t_is "down to the current and those in use" "$(image list | wc -l) $(image list | grep -c "$id")" "2 1"
for delay in 0.005 0.02 0.05 0.1 0.2; do
        echo >>"$host/var/lib/dpkg/status"
        timeout -s KILL $delay "$tool" "$state" "$BUILD/croft-image" native / >/dev/null 2>&1
        image list >/dev/null
        t_is "killed after $delay s nothing half made is left" "$(ls "$state/tmp"; find "$state/images" -mindepth 1 -maxdepth 1 ! -exec test -f '{}/meta.json' ';' -print)" ""
done

# --- other hosts ------------------------------------------------------------------------------------------------------

host=$T/other
mkdir -p "$host/usr/bin" "$host/usr/sbin" "$host/bin" "$host/usr/share/factory/etc/pam.d" "$host/etc"
echo factory >"$host/usr/share/factory/etc/pam.d/login"
echo $secret >"$host/etc/passwd"
other=$state/images/$(native | cut -f1)/rootfs
t_is "without dpkg the factory's /etc is taken" "$(cat "$other/etc/pam.d/login")" factory
t_is "with a minimal set of accounts" "$(cut -d: -f1 "$other/etc/passwd" | tr '\n' ' ')" "root daemon nobody "
t_like "and a name service" "$(cat "$other/etc/nsswitch.conf")" '^passwd: files'
t_is "and nothing of the host's" "$(grep -rl $secret "$other")" ""
t_ok "a /bin that is no link becomes a mount point" test -d "$other/bin" -a ! -L "$other/bin"

# --- this very host ---------------------------------------------------------------------------------------------------

real=$state/images/$(image native 2>/dev/null | cut -f1)/rootfs
find /etc /root /var/spool/cron /var/mail -xdev -type f ! -perm -o=r -size +0 -exec md5sum {} + 2>/dev/null | cut -c1-32 | sort -u >"$T/private"
find "$real" -xdev -type f -size +0 -exec md5sum {} + | cut -c1-32 | sort -u >"$T/ours"
t_is "of this host, too, nothing that is private comes in" "$(comm -12 "$T/private" "$T/ours")" ""

in_root() { # SCRIPT: runs it in the template with the host's /usr, as a partition would see it
        unshare -m sh -eu -c '
        mount --make-rprivate /
        mkdir "$1/root"; mount -t tmpfs none "$1/root"; mkdir "$1/root/upper" "$1/root/work" "$1/root/all"
        mount -t overlay -o "lowerdir=$2,upperdir=$1/root/upper,workdir=$1/root/work" none "$1/root/all"
        for share in $3; do mount --bind "$share" "$1/root/all$share"; done
        mount -t proc none "$1/root/all/proc"; mount --bind /dev "$1/root/all/dev"
        chroot "$1/root/all" /bin/sh -c "$4"' sh "$(mktemp -d "$T/in.XXXXXX")" "$real" "$(image shares | tr '\n' ' ')" "$1" 2>&1
}
t_is "programs find their libraries in it" "$(in_root 'id -u; ls / >/dev/null && echo listed')" "0
listed"
t_is "accounts work" "$(in_root 'id -un 0; getent group shadow; su -s /bin/sh daemon -c "id -un"')" "root
shadow:x:42:
daemon"
if [ -e /var/lib/dpkg/status ]; then
        t_is "dpkg knows its packages" "$(in_root 'dpkg-query -W -f "\${Package}\n" dpkg; dpkg -S /usr/bin/dpkg')" "dpkg
dpkg: /usr/bin/dpkg"
fi

t_done
